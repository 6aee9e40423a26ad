package history

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// The variables by which the test binary becomes an archiver, and by which the number
// of kills is set: CONNCORD_KILLS=100 go test -run Kill.
const (
	archiveDir = "CONNCORD_TEST_ARCHIVE"
	archiveURL = "CONNCORD_TEST_REDIS"
	killsEnv   = "CONNCORD_KILLS"
)

// fewKills is how often the archiver is killed if nothing else is set.
const fewKills = 10

// small are options under which much happens in a short time.
var small = ArchiverOptions{SegmentBytes: 6 << 10, SyncEvery: 3 * time.Millisecond}

func archiveUntilKilled(dir string) {
	a, err := OpenArchiver(context.Background(), dir, os.Getenv(archiveURL), "b", small)
	if err == nil {
		err = a.Run(context.Background())
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func TestKilledArchiverGoesOn(t *testing.T) {
	kills := fewKills
	if text := os.Getenv(killsEnv); text != "" {
		var err error
		kills, err = strconv.Atoi(text)
		must(t, err)
	}
	s := newScene(t)
	s.begin(3)
	dir := t.TempDir()
	for i := range kills {
		s.killOnce(t, dir, uint64(rand.IntN(400)))
		if i == kills/2 { // Redis loses its data meanwhile
			s.tell("FLUSHALL")
			s.all = append(s.all[:0:0], first(readArchive(t, dir))...)
			s.begin(4)
		}
	}
	a := s.archive(dir)
	got, errs := readArchive(t, dir)
	same(t, s.all, got)
	if len(errs) > 0 {
		t.Errorf("errors %v", errs)
	}
	segments, err := listSegments(dir)
	must(t, err)
	if len(segments) < 5 {
		t.Errorf("only %d segments: too few were rolled to prove anything", len(segments))
	}
	must(t, a.Close())
}

// killOnce lets an archiver run while records are written, and kills it once it has
// come so much further.
func (s *scene) killOnce(t *testing.T, dir string, further uint64) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), archiveDir+"="+dir, archiveURL+"="+s.url)
	child.Stderr = os.Stderr
	must(t, child.Start())
	defer func() {
		_ = child.Process.Kill()
		_ = child.Wait()
	}()
	target := uint64(0)
	for deadline := time.Now().Add(30 * time.Second); ; {
		s.add(1 + rand.IntN(30))
		_, at, ok, err := s.log.Archived(t.Context())
		must(t, err)
		switch {
		case target > 0 && at >= target:
			return
		case target == 0 && ok && at > 0:
			target = at + further
		}
		if time.Now().After(deadline) {
			t.Fatal("the archiver does not come further")
		}
	}
}
