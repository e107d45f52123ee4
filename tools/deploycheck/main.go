// Command deploycheck renders the Helm chart and reads what it makes, the compose
// file, the Dockerfile and the configuration of Envoy as strictly as their own
// programs would. It is a module of its own, since those programs' libraries are
// many times the tracker.
package main

import (
	"errors"
	"fmt"
	"os"
)

func main() {
	deploy := "../../configs/deploy"
	if len(os.Args) > 1 {
		deploy = os.Args[1]
	}
	failed := false
	for name, check := range map[string]func(string) error{"chart": chart, "compose": compose, "dockerfile": dockerfile, "envoy": envoy} {
		if err := check(deploy); err != nil {
			failed = true
			fmt.Printf("FAILED %s: %v\n", name, err)
		} else {
			fmt.Printf("ok     %s\n", name)
		}
	}
	if failed {
		os.Exit(1)
	}
}

// problems gathers what is wrong.
type problems []error

func (p *problems) add(format string, args ...any) { *p = append(*p, fmt.Errorf(format, args...)) }

func (p problems) err() error { return errors.Join(p...) }
