package web_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"

	"github.com/conncord/conncord/projector/status"
)

// TestPage opens the live page in a real browser. Its parts run one after the
// other: some measure.
func TestPage(t *testing.T) {
	browser := newBrowser(t)
	for _, part := range []struct {
		name string
		test func(t *testing.T, browser context.Context)
	}{
		{"follows the status", testFollows},
		{"is quick", testQuick},
		{"stays quick with 10000 containers", testCrowd},
		{"explains by keyboard", testKeyboard},
		{"sorts, filters and searches", testControls},
		{"waits for data", testBeforeData},
		{"comes back when the server does", testServerRestarts},
		{"says what is unusual", testNotices},
		{"takes names for text", testNames},
		{"shows a real history", testRealHistory},
		{"looks good", testLooks},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(t, browser) })
	}
}

// drawn is that the page shows all that there is of a record.
func (x *tab) drawn(sequence uint64) {
	x.t.Helper()
	x.until(fmt.Sprintf(`document.documentElement.dataset.sequence === "%d" && document.getElementById("containers").dataset.sequence === "%[1]d" &&
		document.querySelector("#chart svg") !== null`, sequence))
}

// next is a status like another, with other numbers.
func next(st *status.Status, random *rand.Rand) *status.Status {
	after := *st
	after.Sequence++
	after.UpdatedAt = time.Now().UTC()
	after.External = random.IntN(3)
	after.Services = map[string]*status.Service{}
	for name, s := range st.Services {
		changed := *s
		changed.Containers = slices.Clone(s.Containers)
		for i := range changed.Containers {
			c := &changed.Containers[i]
			c.Connections = random.IntN(8)
			c.Granted, c.InUse, c.Want, c.Waiting = c.Connections, random.IntN(c.Connections+1), c.Connections+random.IntN(2), random.IntN(3)
			c.State = status.Active
			if c.Granted < c.Want {
				c.State = status.Waiting
			}
		}
		after.Services[name] = &changed
	}
	return sum(&after)
}

func testFollows(t *testing.T, browser context.Context) {
	st := busy()
	src := newSource(st)
	x := open(t, browser, serve(t, src).url(), desk)
	random := rand.New(rand.NewPCG(1, 2))
	for range 6 {
		x.drawn(st.Sequence)
		if diff := cmp.Diff(expected(st), ask[map[string]string](x, collect)); diff != "" {
			t.Fatalf("at record %d the page shows something else than the status (-status +page):\n%s", st.Sequence, diff)
		}
		st = next(st, random)
		src.show(st)
	}
	// Far more changes than can be shown, of which the last counts.
	for range 200 {
		st = next(st, random)
		src.show(st)
	}
	x.drawn(st.Sequence)
	if diff := cmp.Diff(expected(st), ask[map[string]string](x, collect)); diff != "" {
		t.Errorf("after many changes the page shows something else than the status (-status +page):\n%s", diff)
	}
}

// bound is how old what a page shows may be.
const bound = 250 * time.Millisecond

func testQuick(t *testing.T, browser context.Context) {
	st := busy()
	src := newSource(st)
	measure(t, open(t, browser, serve(t, src).url(), desk), src, 5)
}

func testCrowd(t *testing.T, browser context.Context) {
	const many = 10_000
	st := crowd(many)
	src := newSource(st)
	x := open(t, browser, serve(t, src).url(), desk)
	x.drawn(st.Sequence)
	if rows := ask[int](x, `document.querySelectorAll("[data-container]").length`); rows != 50 {
		t.Errorf("the page has %d rows of %d containers, want 50", rows, many)
	}
	if text := ask[string](x, `document.getElementById("pages-text").textContent`); text != "1 to 50 of 10,000 containers" {
		t.Errorf("the pager says %q", text)
	}
	measure(t, x, src, 3)
	if nodes := ask[int](x, `document.querySelectorAll("*").length`); nodes > 2500 {
		t.Errorf("the page has %d elements", nodes)
	}
	if asked := ask[int](x, `performance.getEntriesByType("resource").filter((r) => r.name.includes("/api/status")).length`); asked > 0 {
		t.Errorf("the page asked for all containers")
	}
}

// measure changes the status until the page has shown a number of changes in a row
// within the bound: the numbers and the rows of containers. A machine that is busy
// with something else can hold up one of them, not all.
func measure(t *testing.T, x *tab, src *source, want int) {
	t.Helper()
	st := src.Status()
	x.drawn(st.Sequence)
	ask[bool](x, `(() => {
		const tell = (node) => new MutationObserver(() => tellTest(node.id + " " + node.dataset.sequence)).observe(node, { attributes: true, attributeFilter: ["data-sequence"] });
		document.documentElement.id = "numbers";
		tell(document.documentElement);
		tell(document.getElementById("containers"));
		return true;
	})()`)
	random := rand.New(rand.NewPCG(3, 4))
	const pause = bound + 50*time.Millisecond // the page asks for containers four times a second
	var numbers, rows []time.Duration
	row := 0
	for range 60 {
		<-time.After(pause)
		st = next(st, random)
		began := time.Now()
		src.show(st)
		numbers = append(numbers, x.told(fmt.Sprintf("numbers %d", st.Sequence)).Sub(began))
		rows = append(rows, x.told(fmt.Sprintf("containers %d", st.Sequence)).Sub(began))
		if row++; numbers[len(numbers)-1] > bound || rows[len(rows)-1] > slowness*bound {
			row = 0
		}
		if row == want {
			break
		}
	}
	slices.Sort(numbers)
	slices.Sort(rows)
	t.Logf("%d changes: numbers after %v, at most %v; containers after %v, at most %v", len(rows),
		numbers[len(numbers)/2], numbers[len(numbers)-1], rows[len(rows)/2], rows[len(rows)-1])
	if row < want {
		t.Errorf("the page never showed %d changes in a row within %v", want, bound)
	}
}

// told waits until the page tells that it has shown something, and returns when.
func (x *tab) told(what string) time.Time {
	x.t.Helper()
	late := time.After(patience)
	for {
		select {
		case s := <-x.seen:
			if s.what == what {
				return s.at
			}
		case <-late:
			x.t.Fatalf("the page did not show %s", what)
		}
	}
}

// testKeyboard goes through the page with the keys that everybody has.
func testKeyboard(t *testing.T, browser context.Context) {
	st := busy()
	x := open(t, browser, serve(t, newSource(st)).url(), desk)
	x.drawn(st.Sequence)
	key := func(k string) { do(x, chromedp.KeyEvent(k)) }
	key(kb.Tab)
	if got := ask[string](x, `document.activeElement.className`); got != "skip" {
		t.Errorf("the first thing that the keyboard comes to is %q, want the link that skips the header", got)
	}
	key(kb.Enter)
	for i := 0; ; i++ {
		key(kb.Tab)
		if ask[bool](x, `document.activeElement.matches(".open-why")`) {
			break
		}
		if !ask[bool](x, `document.activeElement.matches("a, button, input, select, .chart, .list") && document.activeElement.matches(":focus-visible")`) {
			t.Errorf("the keyboard is somewhere where it is not seen: %s", ask[string](x, `document.activeElement.outerHTML.slice(0, 200)`))
		}
		if i > 60 {
			t.Fatal("the keyboard does not come to the containers")
		}
	}
	id := ask[string](x, `document.activeElement.closest("[data-container]").dataset.container`)
	key(kb.Enter)
	x.until(`document.activeElement.getAttribute("aria-expanded") === "true"`)
	why := `document.getElementById(document.activeElement.getAttribute("aria-controls")).querySelector('[data-value="why"]').textContent`
	if diff := cmp.Diff(st.Explain(id), ask[string](x, why)); diff != "" {
		t.Errorf("why %s has what it has (-want +got):\n%s", id, diff)
	}
	key(kb.Enter)
	x.until(`document.activeElement.getAttribute("aria-expanded") === "false" && document.querySelector(".why") === null`)

	ask[bool](x, `(document.getElementById("chart").focus(), true)`)
	key(kb.ArrowLeft)
	x.until(`document.getElementById("chart-point").textContent.includes("allocated 51 of 51")`)
	key(kb.Escape)
	x.until(`document.querySelector(".point").hidden`)
}

func testControls(t *testing.T, browser context.Context) {
	st := busy()
	src := newSource(st)
	x := open(t, browser, serve(t, src).url(), desk)
	x.drawn(st.Sequence)
	shows := func(ids ...string) {
		t.Helper()
		x.until(fmt.Sprintf(`[...document.querySelectorAll("[data-container]")].map((c) => c.dataset.container.replace(/-[^-]*$/, "")).join(" ") === %q`, strings.Join(ids, " ")))
	}
	click := func(selector string) {
		ask[bool](x, fmt.Sprintf(`(document.querySelector(%q).click(), true)`, selector))
	}

	click(`[data-sort="connections"]`)
	shows("scraper-1", "api-1", "scraper-2", "api-2", "viewer-2", "viewer-1", "monitoring-1", "monitoring-2", "external-1")
	click(`[data-sort="connections"]`)
	x.until(`document.querySelector('[aria-sort="ascending"] [data-sort="connections"]') !== null`)
	shows("monitoring-2", "external-1", "monitoring-1", "viewer-1", "viewer-2", "scraper-2", "api-2", "api-1", "scraper-1")
	click(`#services [data-service="viewer"] button`)
	shows("viewer-1", "viewer-2")
	click(`#waiters-all`)
	shows("scraper-1", "api-1", "api-2", "viewer-1")
	click(`#filter-waiting`)
	ask[bool](x, `(document.getElementById("filter-search").focus(), true)`)
	do(x, chromedp.KeyEvent("N8N-API"))
	shows("api-1", "api-2")
	do(x, chromedp.KeyEvent("-nothing"))
	shows()
	x.until(`document.getElementById("containers-none").innerText === "No container matches."`)

	// The page on which somebody is disappears.
	many := crowd(120)
	many.Sequence = 500
	src.show(many)
	ask[bool](x, `(() => { const s = document.getElementById("filter-search"); s.value = ""; s.dispatchEvent(new Event("input")); return true })()`)
	x.until(`document.getElementById("pages-text").textContent === "1 to 50 of 120 containers"`)
	click(`#page-next`)
	x.until(`document.getElementById("pages-text").textContent === "51 to 100 of 120 containers"`)
	click(`#page-next`)
	x.until(`document.getElementById("pages-text").textContent === "101 to 120 of 120 containers" && document.getElementById("page-next").disabled`)
	few := busy()
	few.Sequence = 501
	src.show(few)
	x.until(`document.getElementById("pages-text").textContent === "9 containers"`)
}

func testBeforeData(t *testing.T, browser context.Context) {
	src := newSource(nil)
	x := open(t, browser, serve(t, src).url(), desk)
	x.until(`document.getElementById("empty").innerText.includes("No status yet: the arbiter has not read the history") && document.getElementById("view").hidden`)
	x.picture("empty-1280")
	st := calm()
	src.show(st)
	x.drawn(st.Sequence)
	if diff := cmp.Diff(expected(st), ask[map[string]string](x, collect)); diff != "" {
		t.Errorf("the page shows something else than the status (-status +page):\n%s", diff)
	}
	x.until(`!document.getElementById("empty").checkVisibility()`)
}

func testServerRestarts(t *testing.T, browser context.Context) {
	st := calm()
	src := newSource(st)
	s := serve(t, src)
	x := open(t, browser, s.url(), desk)
	x.drawn(st.Sequence)
	x.away(true)
	s.stop()
	x.until(`document.documentElement.dataset.link === "lost" && document.querySelector('[data-notice="lost"]') !== null`)
	if text := ask[string](x, `document.querySelector('[data-notice="lost"]').innerText`); !strings.Contains(text, "Connection to the arbiter lost") || !strings.Contains(text, "What is below is from then.") {
		t.Errorf("the page says %q", text)
	}
	if diff := cmp.Diff(expected(st), ask[map[string]string](x, collect)); diff != "" {
		t.Errorf("without the server the page does not show what it knew (-known +page):\n%s", diff)
	}
	x.picture("lost-1280")
	if grey := ask[string](x, `getComputedStyle(document.getElementById("view")).filter`); grey != "grayscale(0.85)" {
		t.Errorf("without the server the page is not grey: filter %s", grey)
	}
	s.start()
	st = next(st, rand.New(rand.NewPCG(5, 6)))
	src.show(st)
	x.drawn(st.Sequence)
	x.away(false)
	x.until(`document.documentElement.dataset.link === "live" && document.querySelector('[data-notice="lost"]') === null`)
	if diff := cmp.Diff(expected(st), ask[map[string]string](x, collect)); diff != "" {
		t.Errorf("after the server's return the page shows something else than the status (-status +page):\n%s", diff)
	}
}

func testNotices(t *testing.T, browser context.Context) {
	st := calm()
	src := newSource(st)
	x := open(t, browser, serve(t, src).url(), desk)
	notice := func(id, want string) {
		t.Helper()
		st.Sequence++
		src.show(st)
		x.drawn(st.Sequence)
		x.until(fmt.Sprintf(`document.querySelector('[data-notice="%s"]')?.innerText.includes(%q)`, id, want))
	}
	change := func() { changed := *st; st = &changed }

	change()
	st.Leader = ""
	notice("no-leader", "Nothing is granted until an arbiter does.")
	if leader := ask[string](x, `document.querySelector('[data-value="leader"]').textContent`); leader != "nobody" {
		t.Errorf("led by %q, want nobody", leader)
	}
	change()
	st.Barrier = 12_400
	notice("barrier", "until the recovery barrier opens in 12 s.")
	change()
	st.Degraded, st.Notices = true, []string{"Redis does not answer: what is shown may be old."}
	notice("notice 0", "Redis does not answer: what is shown may be old.")
	change()
	st.Uncounted, st.Unregistered = 3, 2
	notice("drift", "The database shows 3 connections of containers that nobody was granted, 2 of them of containers that are not registered.")
	change()
	st.UpdatedAt = st.UpdatedAt.Add(-40 * time.Second)
	notice("stale", "The newest status was made at")
	change()
	st.Leader, st.Barrier, st.Degraded, st.Notices, st.Uncounted, st.UpdatedAt = "arbiter-2", 0, false, nil, 0, time.Now()
	st.Notices = []string{}
	st.Sequence++
	src.show(st)
	x.until(`document.querySelector(".notice") === null`)
}

// testNames has a container whose host is called what no host should be called.
func testNames(t *testing.T, browser context.Context) {
	st := busy()
	const evil = `"><img src=x onerror=alert(1)><script>alert(2)</script>`
	for _, s := range st.Services {
		for i := range s.Containers {
			s.Containers[i].Host, s.Containers[i].Reason = evil, evil
		}
	}
	st.LeaderHost, st.Notices = evil, []string{evil}
	st.Alerts[0].Summary = evil
	src := newSource(st)
	src.leaders = []status.Leadership{{Epoch: 3, Incarnation: st.Incarnation, Leader: st.Leader, Host: evil, Began: st.UpdatedAt}}
	x := open(t, browser, serve(t, src).url(), desk)
	x.drawn(st.Sequence)
	ask[bool](x, `(document.querySelector(".open-why").click(), true)`)
	x.until(`document.querySelector('.why [data-value="host"]') !== null && document.querySelector("#leaders li") !== null`)
	for _, place := range []string{`.why [data-value="host"]`, `.why [data-value="reason"]`, `#alerts [data-value="summary"]`} {
		if got := ask[string](x, fmt.Sprintf(`document.querySelector(%q).textContent`, place)); got != evil {
			t.Errorf("%s shows %q, want %q", place, got, evil)
		}
	}
	if n := ask[int](x, `document.querySelectorAll("img").length + document.querySelectorAll("script").length`); n != 2 {
		t.Errorf("the page has %d pictures and scripts, want its own two", n)
	}
}

// testLooks takes pictures for people, and checks that nothing makes the page wider
// than the window.
func testLooks(t *testing.T, browser context.Context) {
	st := busy()
	src := newSource(st)
	src.samples, src.leaders = hourOf(st, time.Hour), reign(st)
	x := open(t, browser, serve(t, src).url(), desk)
	x.drawn(st.Sequence)
	x.until(`document.querySelector("#leaders li") !== null`)
	ask[bool](x, `(document.querySelector(".open-why").click(), true)`)
	x.until(`document.querySelector(".why") !== null`)
	for _, c := range []struct {
		name   string
		width  int64
		height int64
	}{{"1280", desk.width, desk.height}, {"390", phone.width, phone.height}} {
		grounds := map[string]bool{}
		for _, dark := range []bool{false, true} {
			name := "page-" + c.name
			if dark {
				name += "-dark"
			}
			x.look(look{c.width, c.height, dark})
			x.until(fmt.Sprintf(`innerWidth === %d && Math.abs(document.querySelector("#chart svg").width.baseVal.value - document.getElementById("chart").clientWidth) < 2`, c.width))
			if wide := ask[int64](x, `document.documentElement.scrollWidth`); wide > c.width {
				t.Errorf("%s: the page is %d wide in a window of %d", name, wide, c.width)
			}
			grounds[ask[string](x, `getComputedStyle(document.body).backgroundColor`)] = true
			x.picture(name)
		}
		if len(grounds) != 2 {
			t.Errorf("at %s dark and light look the same: %v", c.name, grounds)
		}
	}
}
