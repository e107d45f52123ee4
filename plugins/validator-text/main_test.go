package main

import (
	"testing"

	"github.com/goals-tracker/tracker/sdk/validatortest"
)

func TestSpec(t *testing.T) { validatortest.Spec(t, spec) }

func TestCases(t *testing.T) { validatortest.Dir(t, spec, "testdata") }

func TestBinary(t *testing.T) { validatortest.Binary(t, validatortest.Build(t)) }
