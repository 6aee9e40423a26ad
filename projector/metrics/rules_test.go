package metrics_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/conncord/conncord/projector/alert"
	"github.com/conncord/conncord/projector/metrics"
)

// A rule is one of deploy/prometheus/alerts.yml.
type rule struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

func rules(t *testing.T) map[string]rule {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(deploy, "prometheus", "alerts.yml"))
	must(t, err)
	var file struct {
		Groups []struct {
			Rules []rule `yaml:"rules"`
		} `yaml:"groups"`
	}
	must(t, yaml.Unmarshal(data, &file))
	all := map[string]rule{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			if _, twice := all[r.Alert]; twice {
				t.Errorf("there are two rules %s", r.Alert)
			}
			all[r.Alert] = r
		}
	}
	return all
}

// TestRuleForEachAlert compares the rules with the alerts that a projector raises.
func TestRuleForEachAlert(t *testing.T) {
	t.Parallel()
	all := rules(t)
	text := scrape(t, metrics.Handler(metrics.Config{Budget: "default", Source: busy(time.Now())}))
	for _, name := range alert.Names() {
		r, ok := all[ruleName(name)]
		if !ok {
			t.Errorf("there is no rule %s for the alert %s", ruleName(name), name)
			continue
		}
		if !strings.Contains(r.Expr, fmt.Sprintf("alert=%q", name)) {
			t.Errorf("%s does not look at the alert %s: %s", r.Alert, name, r.Expr)
		}
		if want := fmt.Sprintf("conncord_alert_firing{alert=%q,budget=\"default\",severity=%q}", name, r.Labels["severity"]); !strings.Contains(text, want) {
			t.Errorf("%s has the severity %q, and the alert has not", r.Alert, r.Labels["severity"])
		}
	}
}

// ruleName is that of the rule for an alert: of no_leader it is ConncordNoLeader.
func ruleName(alert string) string {
	name := "Conncord"
	for part := range strings.SplitSeq(alert, "_") {
		name += strings.ToUpper(part[:1]) + part[1:]
	}
	return name
}

func TestRulesSayWhatToDo(t *testing.T) {
	t.Parallel()
	exported := export(t)
	for name, r := range rules(t) {
		for _, annotation := range []string{"summary", "description", "action"} {
			if text := r.Annotations[annotation]; !strings.HasSuffix(text, ".") {
				t.Errorf("%s: the annotation %s is no sentence: %q", name, annotation, text)
			}
		}
		if s := r.Labels["severity"]; s != "warning" && s != "critical" {
			t.Errorf("%s: the severity is %q", name, s)
		}
		checkQuery(t, name, r.Expr, exported)
	}
}

var conncordName = regexp.MustCompile(`\bconncord_[a-z_]*[a-z]`)

// TestRuleTestsNameMetrics sees to it that the rules are not tested on series that
// do not exist.
func TestRuleTestsNameMetrics(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join(deploy, "prometheus", "alerts_test.yml"))
	must(t, err)
	exported := export(t)
	for _, name := range conncordName.FindAllString(string(data), -1) {
		if _, ok := exported[name]; !ok {
			t.Errorf("alerts_test.yml names the metric %s, which is not exported", name)
		}
	}
	for name := range rules(t) {
		if !strings.Contains(string(data), name) {
			t.Errorf("alerts_test.yml does not test %s", name)
		}
	}
}
