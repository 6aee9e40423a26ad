// Package policyfile reads the files that say which services a budget has and what
// their rules are.
package policyfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/conncord/conncord/events"
)

// MaxBytes bounds a policy file. The largest that can work has 64 services
// of about 120 bytes.
const MaxBytes = 64 << 10

// A document is what a file holds:
//
//	builtin: true            # false drops the five built-in services
//	unlisted: refuse         # or {priority: 1, minimum: 0, maximum: 0}
//	services:
//	  - {name: reports, priority: 4, minimum: 2, maximum: 10}
//	  - {name: scraper, maximum: 15}    # a built-in one, with one rule changed
type document struct {
	Builtin  *bool         `yaml:"builtin"`
	Unlisted yaml.Node     `yaml:"unlisted"`
	Services []serviceRule `yaml:"services"`
}

// A serviceRule changes what it names of a service's rule.
type serviceRule struct {
	Name     string `yaml:"name"`
	Priority *int   `yaml:"priority"`
	Minimum  *int   `yaml:"minimum"`
	Maximum  *int   `yaml:"maximum"`
}

func (r *serviceRule) changes(s *events.Service) {
	for from, to := range map[*int]*int{r.Priority: &s.Priority, r.Minimum: &s.Minimum, r.Maximum: &s.Maximum} {
		if from != nil {
			*to = *from
		}
	}
}

// Read applies a policy file to the policy. Its errors begin with the file's name
// and, if the mistake is in one place, the line.
func Read(path string, p *events.Policy) error {
	data, err := readBounded(path)
	if err != nil {
		return fmt.Errorf("cannot read the policy file: %w", err)
	}
	var file document
	var lines yaml.Node
	err = decodeStrictly(data, &file)
	if err == nil {
		err = yaml.Unmarshal(data, &lines)
	}
	if err != nil {
		return fmt.Errorf("%s: %s", path, inOneLine(err))
	}
	if file.Builtin != nil && !*file.Builtin {
		p.Services = nil
	}
	if line, err := file.unlisted(&p.Unlisted); err != nil {
		return fmt.Errorf("%s: line %d: %w", path, line, err)
	}
	named := map[string]bool{}
	for i := range file.Services {
		if err := file.Services[i].apply(p, named); err != nil {
			return fmt.Errorf("%s: line %d: %w", path, lineOfService(&lines, i), err)
		}
	}
	events.SortServices(p.Services)
	return nil
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxBytes+1))
	if err == nil && len(data) > MaxBytes {
		err = fmt.Errorf("%s has more than %d bytes", path, MaxBytes)
	}
	return data, err
}

// decodeStrictly decodes one document without unknown fields. An empty one is
// fine and says nothing.
func decodeStrictly(data []byte, into any) error {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return errors.New("more than one document: keep the first")
	}
	return nil
}

// inOneLine turns the library's report into one sentence about the first
// mistake, without the names of Go types.
func inOneLine(err error) string {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	var typed *yaml.TypeError
	if errors.As(err, &typed) && len(typed.Errors) > 0 {
		text = typed.Errors[0]
	}
	text, _, _ = strings.Cut(text, "\n")
	if before, _, ok := strings.Cut(text, " not found in type "); ok {
		return strings.Replace(before, "field ", "unknown field ", 1) + ": use builtin, unlisted and services, and for a service name, priority, minimum and maximum"
	}
	text = strings.Replace(text, "cannot unmarshal !!", "cannot use ", 1)
	for internal, plain := range map[string]string{
		"policyfile.document": "a policy", "[]policyfile.serviceRule": "a list of services", "policyfile.serviceRule": "a service",
		" int": " a whole number", " bool": " true or false",
	} {
		if before, ok := strings.CutSuffix(text, "into "+strings.TrimSpace(internal)); ok {
			return before + "as " + strings.TrimSpace(plain)
		}
	}
	return text
}

// unlisted applies the rule for services that are not listed.
func (f *document) unlisted(rule *events.Service) (line int, err error) {
	n := &f.Unlisted
	switch {
	case n.IsZero():
		return 0, nil
	case n.Kind == yaml.ScalarNode && n.Value == "refuse":
		*rule = events.Service{}
		return n.Line, nil
	case n.Kind != yaml.MappingNode:
		return n.Line, errors.New("unlisted must be refuse, or have priority, minimum and maximum")
	}
	for i := 0; i < len(n.Content); i += 2 {
		if key := n.Content[i]; !slices.Contains([]string{"priority", "minimum", "maximum"}, key.Value) {
			return key.Line, fmt.Errorf("unknown field %s: unlisted can have priority, minimum and maximum", key.Value)
		}
	}
	var r serviceRule
	if err := n.Decode(&r); err != nil {
		return n.Line, errors.New("unlisted: priority, minimum and maximum must be whole numbers")
	}
	r.changes(rule)
	if rule.Priority < 1 {
		return n.Line, fmt.Errorf("unlisted has priority %d: set 1 to %d, or write unlisted: refuse", rule.Priority, events.MaxPriority)
	}
	s := *rule
	s.Name = "unlisted"
	return n.Line, checkRule(s)
}

// apply adds the service to the policy or changes the one that is there.
func (r *serviceRule) apply(p *events.Policy, named map[string]bool) error {
	if err := events.CheckService(r.Name); err != nil {
		return err
	}
	if named[r.Name] {
		return fmt.Errorf("the service %q is listed twice: keep one", r.Name)
	}
	named[r.Name] = true
	at := slices.IndexFunc(p.Services, func(s events.Service) bool { return s.Name == r.Name })
	if at < 0 {
		if r.Priority == nil {
			return fmt.Errorf("the service %q needs a priority: set 1 to %d", r.Name, events.MaxPriority)
		}
		at = len(p.Services)
		p.Services = append(p.Services, events.Service{Name: r.Name})
	}
	r.changes(&p.Services[at])
	if p.Services[at].Priority < 1 {
		return fmt.Errorf("service %q has priority %d: set 1 to %d", r.Name, p.Services[at].Priority, events.MaxPriority)
	}
	return checkRule(p.Services[at])
}

// checkRule checks one service for itself: in a policy that has room for
// anything.
func checkRule(s events.Service) error {
	p := events.Policy{Rule: events.RuleVersion, Limit: events.MaxUnits, TTL: events.MinTTL, Services: []events.Service{s}}
	return p.Check()
}

// lineOfService finds the line on which the i-th service begins.
func lineOfService(doc *yaml.Node, i int) int {
	if len(doc.Content) == 0 {
		return 1
	}
	top := doc.Content[0].Content
	for at := 0; at+1 < len(top); at += 2 {
		if list := top[at+1]; top[at].Value == "services" && i < len(list.Content) {
			return list.Content[i].Line
		}
	}
	return 1
}
