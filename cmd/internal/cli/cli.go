// Package cli reads the settings of a program: each is a flag or an
// environment variable, and a flag wins.
//
// The settings are the fields of a struct with the tags of kong. A flag's "from"
// names its environment variable; one that is set to nothing counts as not set,
// because that is what compose files make of variables without a value.
package cli

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"
)

// A Program is what the help says about a program.
type Program struct {
	Name        string
	Description string
}

// Parse reads the settings into a struct. It returns done when there is nothing
// left to do, because the help or the version was asked for.
func (p Program) Parse(into any, args []string, env func(string) (string, bool), stdout io.Writer) (done bool, err error) {
	_, done, err = p.parse(into, args, env, stdout)
	return done, err
}

// Command reads the settings of a program with commands, and which of these was
// given: the first word. A command of the name "completion" with one argument, the
// shell, prints what makes that shell complete what is typed.
func (p Program) Command(into any, args []string, env func(string) (string, bool), stdout io.Writer) (command string, done bool, err error) {
	parsed, done, err := p.parse(into, args, env, stdout)
	if done || err != nil {
		return "", done, err
	}
	command, _, _ = strings.Cut(parsed.Command(), " ")
	if command == completion {
		return command, true, complete(stdout, p.Name, args[len(args)-1], parsed.Model)
	}
	return command, false, nil
}

func (p Program) parse(into any, args []string, env func(string) (string, bool), stdout io.Writer) (parsed *kong.Context, done bool, err error) {
	parser, err := kong.New(into,
		kong.Name(p.Name), kong.Description(p.Description), kong.Vars{"version": p.Name + " " + Version()},
		kong.Writers(stdout, stdout), kong.Exit(func(int) { done = true }),
		kong.Resolvers(environment(env)), kong.ValueFormatter(withVariable),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
	)
	if err != nil {
		return nil, false, err // a mistake in the tags
	}
	parsed, err = parser.Parse(args)
	if done {
		return nil, true, nil
	}
	if err != nil {
		return nil, false, p.usageError(parser, err)
	}
	return parsed, false, nil
}

// environment looks flags that are not set up in the environment.
func environment(env func(string) (string, bool)) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		if value, ok := env(flag.Tag.Get("from")); ok && value != "" {
			return value, nil
		}
		return nil, nil
	})
}

// withVariable ends a flag's help with the name of its variable.
func withVariable(v *kong.Value) string {
	if name := v.Tag.Get("from"); name != "" {
		return v.Help + " [$" + name + "]"
	}
	return v.Help
}

// usageError names the variable beside the flag, for whoever set that, and says
// where to find out more.
func (p Program) usageError(parser *kong.Kong, err error) error {
	text := strings.NewReplacer(
		"expected a valid 64 bit int but got", "a whole number is needed, not",
		`expected string value but got "EOL" (<EOL>)`, "a value is needed",
	).Replace(err.Error())
	flags := parser.Model.Flags
	for _, command := range parser.Model.Children {
		flags = append(flags, command.Flags...)
	}
	for _, flag := range flags {
		prefix := "--" + flag.Name
		if rest, ok := strings.CutPrefix(text, prefix); ok && (rest == "" || strings.ContainsAny(rest[:1], ":= ")) {
			if name := flag.Tag.Get("from"); name != "" {
				text = fmt.Sprintf("%s (%s)%s", prefix, name, rest)
			}
			break
		}
	}
	return errors.New(text + "; try: " + p.Name + " --help")
}

// Version is the version of the module that was built.
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
