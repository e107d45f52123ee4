package cachetest

import (
	"testing"

	"github.com/redis/rueidis"
)

// Client looks into a Redis by itself, without what a cache keeps of it. It is
// closed at the test's end.
func Client(t testing.TB, url string) rueidis.Client {
	t.Helper()
	option, err := rueidis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	option.DisableCache, option.ForceSingleClient = true, true
	client, err := rueidis.NewClient(option)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// Keys are all keys of a database, for tests of what is in them.
func Keys(t testing.TB, url string) []string {
	t.Helper()
	client := Client(t, url)
	keys, err := client.Do(t.Context(), client.B().Keys().Pattern("*").Build()).AsStrSlice()
	if err != nil {
		t.Fatal(err)
	}
	return keys
}
