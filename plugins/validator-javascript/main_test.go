package main

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/goals-tracker/tracker/sdk/validatortest"
)

func TestSpec(t *testing.T) { validatortest.Spec(t, spec) }

func TestCases(t *testing.T) { validatortest.Dir(t, spec, "testdata") }

func TestTypeScriptCases(t *testing.T) {
	if _, err := compiler.ReadFile("compiler/typescript.bin"); err != nil {
		t.Skip("this build carries no TypeScript compiler: run toolchain/install")
	}
	validatortest.Dir(t, spec, "testdata/typescript")
}

func TestBinary(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "validator-javascript")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	validatortest.Binary(t, bin)
}
