// Package config reads the server's settings: defaults, then the YAML file,
// then .env, then the environment, then flags; later ones win. An unknown key
// is an error, since a misspelt setting is one that silently doesn't hold.
//
// It knows no setting itself: each module declares its section as a struct, and
// cmd/tracker puts them together.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/joho/godotenv"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
)

// Prefix starts the environment variables that are ours alone.
const Prefix = "TRACKER_"

// DefaultEnvFile is read where it exists, as the reference does.
const DefaultEnvFile = ".env"

// plain leaves of an error of a file what the operating system says: its name is
// said already.
func plain(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// Source says where settings come from.
type Source struct {
	// File is the YAML file; a missing one is an error unless Optional is set.
	File     string
	Optional bool
	// EnvFile is a .env file; a missing one is skipped if it is ".env", and an
	// error else: somebody named it.
	EnvFile string
	// Environ is the environment as os.Environ gives it.
	Environ []string
	// Flags are settings by dotted key: {"server.address": ":8000"}.
	Flags map[string]string
}

// Load fills into, a pointer to a struct that holds the defaults. Keys are the
// koanf tags; a field's env tag names a variable that is known by a name of its
// own (DATABASE_URL). Every variable may be given as NAME_FILE, a file that
// holds the value.
func Load(into any, src Source) error {
	keys, err := describe(into)
	if err != nil {
		return err
	}
	k := koanf.New(".")
	if src.File != "" {
		if err := loadFile(k, keys, src); err != nil {
			return err
		}
	}
	env := map[string]string{}
	if src.EnvFile != "" {
		fromFile, err := godotenv.Read(src.EnvFile)
		if err != nil && (src.EnvFile != DefaultEnvFile || !errors.Is(err, fs.ErrNotExist)) {
			return fmt.Errorf("read environment variables from %s: %w", src.EnvFile, plain(err))
		}
		maps.Copy(env, fromFile)
	}
	for _, pair := range src.Environ {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	settings, err := keys.fromEnvironment(env)
	if err != nil {
		return err
	}
	for key, value := range src.Flags {
		if !keys.known(key) {
			return fmt.Errorf("there is no setting %q%s", key, keys.suggest(key))
		}
		settings[key] = value
	}
	values := make(map[string]any, len(settings))
	for key, value := range settings {
		values[key] = value
	}
	if err := k.Load(confmap.Provider(values, "."), nil); err != nil {
		return fmt.Errorf("merge settings: %w", err)
	}
	if err := decode(k, keys, into); err != nil {
		return err
	}
	return checkNumbers(reflect.ValueOf(into).Elem(), "")
}

func loadFile(k *koanf.Koanf, keys *keySet, src Source) error {
	if _, err := os.Stat(src.File); errors.Is(err, fs.ErrNotExist) && src.Optional {
		return nil
	}
	if err := k.Load(file.Provider(src.File), yaml.Parser()); err != nil {
		return fmt.Errorf("read settings from %s: %w", src.File, plain(err))
	}
	for _, key := range k.Keys() {
		if !keys.known(key) {
			return fmt.Errorf("%s: there is no setting %q%s", src.File, key, keys.suggest(key))
		}
	}
	return nil
}

func decode(k *koanf.Koanf, keys *keySet, into any) error {
	err := k.UnmarshalWithConf("", into, koanf.UnmarshalConf{Tag: "koanf", DecoderConfig: &mapstructure.DecoderConfig{
		Result:           into,
		TagName:          "koanf",
		WeaklyTypedInput: true,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(
			mapstructure.StringToTimeDurationHookFunc(),
			mapstructure.StringToSliceHookFunc(","),
			mapstructure.TextUnmarshallerHookFunc(),
		),
	}})
	if err != nil {
		return misread(err, keys, k.Get)
	}
	return nil
}

// fromEnvironment picks what is ours out of the environment, by dotted key.
func (s *keySet) fromEnvironment(env map[string]string) (map[string]string, error) {
	settings := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		value := env[name]
		key, ok := s.byEnv[name]
		if !ok {
			base, isFile := strings.CutSuffix(name, "_FILE")
			if fileKey, known := s.byEnv[base]; isFile && known {
				content, err := os.ReadFile(value)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", name, err)
				}
				settings[fileKey] = strings.TrimRight(string(content), "\r\n")
				continue
			}
			if strings.HasPrefix(name, Prefix) && !s.foreign[name] && !ofTests(name) {
				return nil, fmt.Errorf("there is no setting %s%s", name, s.suggest(name))
			}
			continue
		}
		if value == "" {
			continue // an empty line in .env means "not set"
		}
		settings[key] = value
	}
	return settings, nil
}
