package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// completion is the name of the command that prints a script for a shell.
const completion = "completion"

// complete writes the script by which a shell completes a program's commands,
// flags, and the flags' values where these are a few words. Everything else
// completes as a file.
func complete(w io.Writer, program, shell string, app *kong.Application) error {
	var err error
	switch shell {
	case "bash":
		_, err = io.WriteString(w, bashScript(program, app))
	case "zsh": // it understands scripts for bash
		_, err = fmt.Fprintf(w, "#compdef %s\nautoload -U +X bashcompinit && bashcompinit\n%s", program, bashScript(program, app))
	case "fish":
		_, err = io.WriteString(w, fishScript(program, app))
	default:
		err = fmt.Errorf("completion: the shell %q is not known: give bash, zsh or fish", shell)
	}
	return err
}

// A bash function can only be named with letters, digits and underscores.
func bashScript(program string, app *kong.Application) string {
	function := "_" + strings.ReplaceAll(program, "-", "_")
	var b strings.Builder
	fmt.Fprintf(&b, "%s() {\n", function)
	b.WriteString("\tlocal word=\"${COMP_WORDS[COMP_CWORD]}\" before=\"${COMP_WORDS[COMP_CWORD-1]}\" words=\"\"\n")
	b.WriteString("\tcase \"$before\" in\n")
	for _, f := range valued(app) {
		fmt.Fprintf(&b, "\t--%s) words=\"%s\" ;;\n", f.Name, strings.Join(f.EnumSlice(), " "))
	}
	b.WriteString("\t*)\n\t\tcase \"${COMP_WORDS[1]}\" in\n")
	for _, c := range app.Children {
		fmt.Fprintf(&b, "\t\t%s) words=\"%s\" ;;\n", c.Name, strings.Join(words(app, c), " "))
	}
	b.WriteString("\t\tesac\n")
	fmt.Fprintf(&b, "\t\t[[ $COMP_CWORD -eq 1 ]] && words=\"%s\" ;;\n\tesac\n", strings.Join(commands(app), " "))
	b.WriteString("\tCOMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n}\n")
	fmt.Fprintf(&b, "complete -o default -F %s %s\n", function, program)
	return b.String()
}

func fishScript(program string, app *kong.Application) string {
	var b strings.Builder
	quote := func(text string) string { return "'" + strings.ReplaceAll(text, "'", `\'`) + "'" }
	flag := func(f *kong.Flag, condition string) {
		if f.Hidden {
			return
		}
		fmt.Fprintf(&b, "complete -c %s%s -l %s -d %s", program, condition, f.Name, quote(f.Help))
		switch {
		case f.Enum != "":
			fmt.Fprintf(&b, " -x -a %s", quote(strings.Join(f.EnumSlice(), " ")))
		case !f.IsBool():
			b.WriteString(" -r")
		}
		b.WriteByte('\n')
	}
	for _, f := range app.Flags {
		flag(f, "")
	}
	for _, c := range app.Children {
		fmt.Fprintf(&b, "complete -c %s -n __fish_use_subcommand -a %s -d %s\n", program, c.Name, quote(c.Help))
		for _, f := range c.Flags {
			flag(f, fmt.Sprintf(" -n '__fish_seen_subcommand_from %s'", c.Name))
		}
	}
	return b.String()
}

// commands are the names of the commands.
func commands(app *kong.Application) []string {
	var names []string
	for _, c := range app.Children {
		if !c.Hidden {
			names = append(names, c.Name)
		}
	}
	return names
}

// words are the flags that can stand behind a command, and its few-worded
// arguments.
func words(app *kong.Application, c *kong.Node) []string {
	var all []string
	for _, a := range c.Positional {
		all = append(all, a.EnumSlice()...)
	}
	for _, f := range slices.Concat(c.Flags, app.Flags) {
		if !f.Hidden {
			all = append(all, "--"+f.Name)
		}
	}
	return all
}

// valued are the flags whose value is one of a few words, each name once.
func valued(app *kong.Application) []*kong.Flag {
	seen := map[string]bool{}
	var some []*kong.Flag
	add := func(flags []*kong.Flag) {
		for _, f := range flags {
			if f.Enum != "" && !seen[f.Name] {
				seen[f.Name] = true
				some = append(some, f)
			}
		}
	}
	add(app.Flags)
	for _, c := range app.Children {
		add(c.Flags)
	}
	return some
}
