package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/goals-tracker/tracker/modules/core/auth"
)

type tokenCmd struct {
	User    externalID    `required:"" placeholder:"ID" help:"The user id, at most 36 characters."`
	Role    []string      `default:"student" enum:"student,teacher,admin" help:"student, teacher or admin; may be repeated."`
	Course  []externalID  `placeholder:"ID,..." help:"A course of the token; may be repeated."`
	Email   string        `help:"The email claim."`
	Expires time.Duration `default:"1h" help:"How long it holds, at most 24h."`
}

// Run prints a token. Whoever has SECRET_KEY can make one anyway; this is for
// trying things out.
func (c *tokenCmd) Run(flags *ConfigFlags) error {
	cfg, err := flags.Load()
	if err != nil {
		return err
	}
	switch {
	case cfg.Auth.SecretKey == "":
		return errors.New("SECRET_KEY is not set (see .env.example)")
	case cfg.Auth.Source != auth.FromSecret:
		return fmt.Errorf("auth.source is %s, so this server takes no token that is signed with SECRET_KEY: sign in at the academy", cfg.Auth.Source)
	case c.Expires <= 0 || c.Expires > 24*time.Hour:
		return fmt.Errorf("a token of %s: use more than 0 and at most 24h", c.Expires)
	}
	now := time.Now()
	claims := jwt.MapClaims{"user_id": c.User, "sub": c.User, "roles": c.Role, "iat": now.Unix(), "exp": now.Add(c.Expires).Unix()}
	if len(c.Course) > 0 {
		claims["course_ids"] = c.Course
	}
	if c.Email != "" {
		claims["email"] = c.Email
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(cfg.Auth.SecretKey.Reveal()))
	if err != nil {
		return fmt.Errorf("sign token: %w", err)
	}
	fmt.Println(token)
	return nil
}
