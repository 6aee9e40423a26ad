package show

import (
	"slices"
	"testing"
)

func TestThePlayWantsMoreThanThereIs(t *testing.T) {
	for i, s := range play {
		sum := 0
		for _, percent := range s.wants {
			sum += percent
		}
		if i == 0 && (s.at != 0 || sum > all) {
			t.Errorf("the first scene begins at %v and wants %d %%", s.at, sum)
		}
		if i > 0 && (s.at <= play[i-1].at || s.at >= 1) {
			t.Errorf("scene %d begins at %v, after %v", i, s.at, play[i-1].at)
		}
		if i > 0 && sum <= all {
			t.Errorf("scene %q wants %d %%", s.title, sum)
		}
	}
}

func TestThePlayEndsWithAllServices(t *testing.T) {
	running := map[string]int{}
	for _, s := range services {
		running[s.Name] = 1
	}
	deeds := map[deed]int{}
	for _, s := range play {
		for _, c := range s.cues {
			deeds[c.deed]++
			switch c.deed {
			case start:
				running[c.service]++
			case stop, kill:
				running[c.service]--
			}
			if running[c.service] < 0 {
				t.Errorf("scene %q ends a %s that is not there", s.title, c.service)
			}
		}
	}
	if len(running) != 5 || deeds[start] == 0 || deeds[stop] == 0 || deeds[kill] == 0 || deeds[come] != deeds[leave] {
		t.Errorf("running %v, deeds %v", running, deeds)
	}
	for name, n := range running {
		if n != 1 {
			t.Errorf("%d containers of the %s at the end", n, name)
		}
	}
}

func TestServicesStandByPriority(t *testing.T) {
	var names []string
	for _, s := range services {
		names = append(names, s.Name)
	}
	if want := []string{"scraper", "api", "viewer", "monitoring", "external"}; !slices.Equal(names, want) {
		t.Errorf("%v", names)
	}
}

func TestSceneAt(t *testing.T) {
	for _, c := range []struct {
		part float64
		want int
	}{{0, 0}, {0.09, 0}, {0.10, 1}, {0.5, 4}, {0.99, len(play) - 1}, {2, len(play) - 1}} {
		if got := sceneAt(c.part); got != c.want {
			t.Errorf("at %v: scene %d, want %d", c.part, got, c.want)
		}
	}
}

func TestCallersFor(t *testing.T) {
	for _, c := range []struct{ percent, available, containers, want int }{
		{100, 54, 1, 54}, {200, 54, 2, 54}, {20, 54, 1, 11}, {4, 54, 1, 3}, {4, 12, 3, 1},
		{0, 54, 1, 0}, {100, 54, 0, 0}, {1, 10, 1, 1},
	} {
		if got := callersFor(c.percent, c.available, c.containers); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}
