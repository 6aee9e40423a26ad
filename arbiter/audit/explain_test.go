package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/conncord/conncord/events"
)

func TestExplainRecord(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	s := story()
	for i := range s.records {
		a, err := ExplainRecord(context.Background(), &tape{records: s.records}, uint64(i+1))
		must(t, err)
		must(t, a.Print(&b))
		b.WriteString("\n")
		if i == 11 {
			data, err := json.MarshalIndent(a, "", "  ")
			must(t, err)
			golden(t, "record.json", append(data, '\n'))
		}
	}
	golden(t, "records.txt", b.Bytes())
	if _, err := ExplainRecord(context.Background(), &tape{records: s.records}, 1000); !errors.Is(err, ErrNoState) {
		t.Errorf("error %v", err)
	}
}

func TestExplainContainer(t *testing.T) {
	t.Parallel()
	s := story()
	var b bytes.Buffer
	for _, id := range []string{"scraper-1", "viewer-1", "api-1"} {
		story, err := ExplainContainer(context.Background(), &tape{records: s.records}, id)
		must(t, err)
		must(t, story.Print(&b))
		b.WriteString("\n")
	}
	golden(t, "containers.txt", b.Bytes())
	if _, err := ExplainContainer(context.Background(), &tape{records: s.records}, "api"); !errors.Is(err, ErrNoContainer) {
		t.Errorf("error %v", err)
	}
}

// A story keeps its beginning and its end, and says how much is between.
func TestStoryBounded(t *testing.T) {
	t.Parallel()
	s := newStage(30)
	p := s.peer("scraper-1", "scraper", 1)
	for i := range 500 {
		s.pass(time.Second)
		p.want = 1 + i%7
		s.say(p, events.Request)
	}
	story, err := ExplainContainer(context.Background(), &tape{records: s.records}, "scraper-1")
	must(t, err)
	last := story.Episodes[len(story.Episodes)-1]
	if len(story.Episodes) != maxEpisodes || story.LeftOut != 500-maxEpisodes || story.Episodes[0].Sequence != 4 || last.Sequence != 504 {
		t.Errorf("%d episodes and %d left out, from %d to %d", len(story.Episodes), story.LeftOut, story.Episodes[0].Sequence, last.Sequence)
	}
	var b strings.Builder
	must(t, story.Print(&b))
	if want := fmt.Sprintf("… %d episodes are left out …", story.LeftOut); !strings.Contains(b.String(), want) {
		t.Errorf("it does not say %q", want)
	}
}
