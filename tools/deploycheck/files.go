package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

func compose(deploy string) error {
	options, err := cli.NewProjectOptions([]string{filepath.Join(deploy, "compose.yaml")}, cli.WithName("tracker"),
		cli.WithEnv([]string{"SECRET_KEY=k", "POSTGRES_PASSWORD=p", "RABBITMQ_PASSWORD=r"}))
	if err != nil {
		return err
	}
	project, err := options.LoadProject(context.Background()) // checks the schema and that what is named exists
	if err != nil {
		return err
	}
	var wrong problems
	for name, s := range project.Services {
		if s.Privileged || len(s.CapAdd) > 0 {
			wrong.add("%s is privileged", name)
		}
		if s.HealthCheck == nil {
			wrong.add("nobody sees when %s is ill", name)
		}
		if s.Build != nil {
			if _, err := os.Stat(filepath.Join(s.Build.Context, s.Build.Dockerfile)); err != nil {
				wrong.add("%s is built from nothing: %w", name, err)
			}
		} else if !strings.Contains(s.Image, ":") {
			wrong.add("%s: the image %s has no version", name, s.Image)
		}
	}
	fmt.Printf("       compose: services %v\n", project.ServiceNames())
	return wrong.err()
}

func dockerfile(deploy string) error {
	file, err := os.Open(filepath.Join(deploy, "Dockerfile"))
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	result, err := parser.Parse(file)
	if err != nil {
		return err
	}
	stages, _, err := instructions.Parse(result.AST, nil)
	if err != nil {
		return err
	}
	var wrong problems
	for _, warning := range result.Warnings {
		wrong.add("%s", warning.Short)
	}
	var names []string
	for _, stage := range stages {
		if !strings.Contains(stage.BaseName, ":") || strings.HasSuffix(stage.BaseName, ":latest") {
			wrong.add("the base %s has no version", stage.BaseName)
		}
		for _, command := range stage.Commands {
			switch c := command.(type) {
			case *instructions.AddCommand:
				wrong.add("ADD fetches and unpacks what it likes; use COPY")
			case *instructions.CopyCommand:
				if c.From != "" {
					if !slices.Contains(names, c.From) {
						wrong.add("COPY --from=%s: there is no such stage before", c.From)
					}
					continue
				}
				for _, source := range c.SourcePaths {
					if _, err := os.Stat(filepath.Join(deploy, "..", "..", source)); err != nil {
						wrong.add("COPY %s: %w", source, err)
					}
				}
			}
		}
		names = append(names, stage.Name)
	}
	user := ""
	for _, command := range stages[len(stages)-1].Commands {
		if u, ok := command.(*instructions.UserCommand); ok {
			user = u.User
		}
	}
	if user == "" || strings.HasPrefix(user, "0") || strings.HasPrefix(user, "root") {
		wrong.add("the image runs as %q", user)
	}
	return wrong.err()
}
