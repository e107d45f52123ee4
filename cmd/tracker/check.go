package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/goals-tracker/tracker/modules/core/config"
)

// checkPlaces refuses addresses and folders that nothing can be behind.
func (c *Config) checkPlaces() error {
	if at := c.Academy.URL; at != "" {
		if u, err := url.Parse(at); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("academy.url (USER_SERVICE_URL) is %q: use an address such as http://127.0.0.1:8001", config.Address(at))
		}
	}
	if u := c.Events.Publish.Unrouted; u != "skip" && u != "hold" {
		return fmt.Errorf("events.publish.unrouted is %q: use skip or hold", u)
	}
	return c.checkPluginsDir()
}

// checkPluginsDir refuses a folder of plugins that can't be: one that is named and
// not there yet is made by `tracker plugin install`, in a folder that is.
func (c *Config) checkPluginsDir() error {
	dir := c.Plugins.Dir
	if dir == "" {
		return nil
	}
	found, err := os.Stat(dir)
	if os.IsNotExist(err) {
		found, err = os.Stat(filepath.Dir(dir))
	}
	if err != nil || !found.IsDir() {
		return fmt.Errorf("plugins.dir is %q, and there is no such folder: name that of the plugins' programs, or leave it out for the one beside this program", dir)
	}
	return nil
}
