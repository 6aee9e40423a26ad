package monitor

import (
	"time"
	"unicode/utf8"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/viewport"
	tea "charm.land/bubbletea/v2"

	"github.com/conncord/conncord/cmd/internal/cli"
	"github.com/conncord/conncord/projector/status"
)

// beatEvery is how often ages on the screen grow.
const beatEvery = time.Second

// maxFilter bounds the text that is typed: no service's name is longer.
const maxFilter = 63

// A beat says that time has passed.
type beat time.Time

func nextBeat() tea.Cmd { return tea.Tick(beatEvery, func(t time.Time) tea.Msg { return beat(t) }) }

// A page is what is on the screen.
type page int

const (
	overview  page = iota
	container      // one container, and why it has what it has
	helping        // the keys
)

// A model is the state of the live view.
type model struct {
	terminal cli.Terminal
	theme    theme
	keys     keys
	budget   string
	where    string // Redis, for people
	expected *expectation
	now      func() time.Time
	how      status.PrintOptions // but for the width and the moment

	width, height int

	heard  bool           // an update has come
	update update         // the newest
	shown  *status.Status // on the screen, with the expectation's alerts; nil: none yet
	paused time.Time      // since when; zero: it is not

	page     page
	document *document // of what is shown; nil: there is nothing
	top      int       // its first line on the screen
	chosen   int       // the chosen container's index
	chosenID string
	opened   string // id of the container whose page is open
	pane     viewport.Model
	typing   bool // the filter
}

func newModel(o *options, t cli.Terminal, now func() time.Time) *model {
	how := printing(t, o)
	how.Location = time.Local
	m := &model{
		terminal: t, theme: newTheme(t), keys: newKeys(t.ASCII), budget: o.Budget, where: redisPlace(o.RedisURL),
		expected: newExpectation(o.expected()), now: now, how: how,
		width: 80, height: 24, pane: viewport.New(),
	}
	return m
}

func (m *model) Init() tea.Cmd { return nextBeat() }

func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		m.refresh()
	case update:
		m.heard, m.update = true, msg
		if m.paused.IsZero() {
			m.show()
		}
	case beat:
		m.refresh()
		return m, nextBeat()
	case tea.KeyPressMsg:
		if m.typing {
			return m, m.typed(msg)
		}
		return m, m.pressed(msg)
	}
	return m, nil
}

// show puts the newest status on the screen.
func (m *model) show() {
	if m.update.Status != nil {
		m.shown = m.expected.add(m.update.Status, m.now())
	}
	m.refresh()
}

// refresh makes the document anew, of what is shown, and keeps the chosen
// container chosen, wherever it is now.
func (m *model) refresh() {
	if m.shown == nil {
		m.document = nil
		return
	}
	m.document = compose(m.shown, m.printing(), m.theme)
	if at := m.document.find(m.chosenID); at >= 0 {
		m.chosen = at
	}
	m.choose(m.chosen)
	m.scroll(0)
	if m.page == container {
		m.fillContainer()
	}
}

// printing are the options for the parts that the status prints itself.
func (m *model) printing() status.PrintOptions {
	how := m.how
	how.Width, how.Now = m.width, m.now()
	return how
}

// choose makes a container the chosen one, or the nearest that there is.
func (m *model) choose(index int) {
	m.chosen = max(0, min(index, len(m.document.spots)-1))
	m.chosenID = ""
	if c := m.document.container(m.chosen); c != nil {
		m.chosenID = c.ID
	}
}

func (m *model) pressed(msg tea.KeyPressMsg) tea.Cmd {
	switch {
	case key.Matches(msg, m.keys.Quit):
		return tea.Quit
	case key.Matches(msg, m.keys.Suspend):
		return tea.Suspend
	case key.Matches(msg, m.keys.Pause):
		m.pause()
		return nil
	case key.Matches(msg, m.keys.Help):
		if m.page == helping {
			m.page = overview
		} else {
			m.openHelp()
		}
		return nil
	}
	if m.page == overview {
		return m.pressedInOverview(msg)
	}
	if key.Matches(msg, m.keys.Back) {
		m.page = overview
		return nil
	}
	var cmd tea.Cmd
	m.pane, cmd = m.pane.Update(msg)
	return cmd
}

// pause stops what is shown, and goes on with the newest.
func (m *model) pause() {
	if m.paused.IsZero() {
		m.paused = m.now()
		return
	}
	m.paused = time.Time{}
	m.show()
}

func (m *model) pressedInOverview(msg tea.KeyPressMsg) tea.Cmd {
	switch {
	case key.Matches(msg, m.keys.Sort):
		m.how.Order = nextOrder(m.how.Order)
		m.refresh()
		m.reveal()
		return nil
	case key.Matches(msg, m.keys.Filter):
		m.typing = true
		return nil
	case key.Matches(msg, m.keys.Back):
		m.filter("")
		return nil
	}
	if m.document != nil {
		m.moved(msg)
	}
	return nil
}

func (m *model) moved(msg tea.KeyPressMsg) {
	screen := m.bodyHeight()
	switch {
	case key.Matches(msg, m.keys.Down):
		m.step(1)
	case key.Matches(msg, m.keys.Up):
		m.step(-1)
	case key.Matches(msg, m.keys.PageDown):
		m.scroll(screen)
		m.chooseSeen()
	case key.Matches(msg, m.keys.PageUp):
		m.scroll(-screen)
		m.chooseSeen()
	case key.Matches(msg, m.keys.Top):
		m.choose(0)
		m.scroll(-m.document.len())
	case key.Matches(msg, m.keys.Bottom):
		m.choose(len(m.document.spots) - 1)
		m.scroll(m.document.len())
	case key.Matches(msg, m.keys.Open):
		m.openContainer()
	}
}

// nextOrder is the order that follows when somebody asks for another.
func nextOrder(order status.Order) status.Order {
	all := append([]status.Order{status.ByPriority}, status.Orders()...)
	for i, o := range all {
		if o == order {
			return all[(i+1)%len(all)]
		}
	}
	return status.ByPriority
}

// typed takes a key while the filter is being typed. What is typed so far holds
// at once.
func (m *model) typed(msg tea.KeyPressMsg) tea.Cmd {
	text := m.how.Service
	switch msg.String() {
	case "ctrl+c":
		return tea.Quit
	case "enter":
		m.typing = false
	case "esc":
		m.typing = false
		m.filter("")
	case "ctrl+u":
		m.filter("")
	case "backspace":
		_, size := utf8.DecodeLastRuneInString(text)
		m.filter(text[:len(text)-size])
	default:
		if len(text)+len(msg.Text) <= maxFilter {
			m.filter(text + msg.Text)
		}
	}
	return nil
}

// filter shows only the services whose name contains the text.
func (m *model) filter(text string) {
	if text != m.how.Service {
		m.how.Service = text
		m.refresh()
	}
}
