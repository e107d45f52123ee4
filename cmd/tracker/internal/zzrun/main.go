// Command zzrun is temporary.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/goals-tracker/tracker/cmd/tracker/internal/bench"
)

func main() {
	if bench.IsClient() {
		if err := bench.Client(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	s := flag.Int("s", 3, "")
	r := flag.Int("r", 5, "")
	c := flag.Int("c", 4, "")
	p := flag.String("p", "", "")
	u := flag.String("u", "", "")
	flag.Parse()
	rep, err := bench.Run(context.Background(), bench.Options{Round: time.Duration(*s) * time.Second, Rounds: *r, Clients: *c, Profile: *p, DatabaseURL: *u, Client: []string{os.Args[0]}, Progress: os.Stderr})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	rep.Print(os.Stdout)
}
