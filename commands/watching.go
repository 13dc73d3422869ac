package commands

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tandem/watches"
)

// Watch asks for a service to be looked at again and again.
type Watch struct {
	Service string   `arg:"" name:"service"`
	Words   []string `arg:"" optional:"" name:"every-and-in"` // every 10m in #channel, in either language
	Every   Interval `placeholder:"10m"`                      // zero: watches.DefaultEvery
	In      string   `placeholder:"CHANNEL"`                  // the channel's id; empty: here
}

// Unwatch ends that.
type Unwatch struct {
	Service string   `arg:"" name:"service"`
	Words   []string `arg:"" optional:"" name:"in-channel"` // in #channel
	In      string   `placeholder:"CHANNEL"`                // empty: here, or else everywhere
}

// Watches asks what is watched and suppressed.
type Watches struct{}

// Suppress keeps watches and alerts quiet about a check.
type Suppress struct {
	Code   string   `arg:"" name:"code"`                                     // in upper case
	Words  []string `arg:"" optional:"" name:"service-for-because" prose:""` // [SERVICE] for 2h because …
	For    Span     `placeholder:"2h"`                                       // always above zero
	Owner  string   `placeholder:"WHO"`                                      // who looks after it; empty: who asks
	Reason string   `placeholder:"TEXT"`                                     // never empty
	About  string   `kong:"-"`                                               // the service; empty: every one
}

// Unsuppress ends that.
type Unsuppress struct {
	Code    string `arg:"" name:"code"`                // in upper case
	Service string `arg:"" optional:"" name:"service"` // empty: whatever is suppressed of that check
}

func (Watch) command()      {}
func (Unwatch) command()    {}
func (Watches) command()    {}
func (Suppress) command()   {}
func (Unsuppress) command() {}

// Interval is the time between two looks, from watches.MinEvery to
// watches.MaxEvery.
type Interval time.Duration

// UnmarshalText reads an interval like 10m.
func (i *Interval) UnmarshalText(text []byte) error {
	d, ok := readSpan(string(text))
	if !ok || d < watches.MinEvery || d > watches.MaxEvery {
		return &UsageError{Kind: BadInterval, Word: string(text)}
	}
	*i = Interval(d)
	return nil
}

// Span is how long a suppression lasts, above zero, up to watches.MaxSuppression.
type Span time.Duration

// UnmarshalText reads a span like 2h or 7d.
func (s *Span) UnmarshalText(text []byte) error {
	d, ok := readSpan(string(text))
	if !ok || d <= 0 || d > watches.MaxSuppression {
		return &UsageError{Kind: BadSpan, Word: string(text)}
	}
	*s = Span(d)
	return nil
}

// readSpan reads a duration that may be in days, like 7d.
func readSpan(text string) (time.Duration, bool) {
	if days, found := strings.CutSuffix(text, "d"); found {
		n, err := strconv.Atoi(days)
		return time.Duration(n) * 24 * time.Hour, err == nil && n > 0 && n <= 365
	}
	d, err := time.ParseDuration(text)
	return d, err == nil
}

// channelID matches the id of a channel, as chat makes it of a link.
var channelID = regexp.MustCompile(`^#?([CG][A-Z0-9]{2,30})$`)

// ChannelOf is the id in what somebody wrote for a channel, if there is one.
func ChannelOf(typed string) (string, bool) {
	m := channelID.FindStringSubmatch(typed)
	if m == nil {
		return "", false
	}
	return m[1], true
}

// sentence reads words one after the other.
type sentence struct {
	words []string
	flags map[string]string // what a word stands for
}

// next takes a word and, of one that is followed by a value, that. The name is
// empty for a word that stands for nothing.
func (s *sentence) next() (name, word string, err error) {
	word, s.words = s.words[0], s.words[1:]
	key, value, joined := strings.Cut(strings.ToLower(word), "=")
	name = s.flags[key]
	if name == "" {
		return "", word, nil
	}
	if joined {
		return name, word[len(word)-len(value):], nil
	}
	if len(s.words) > 0 && key == "a" { // a cada 10m
		if strings.EqualFold(s.words[0], "cada") {
			s.words = s.words[1:]
		}
	}
	if len(s.words) == 0 {
		return name, "", &UsageError{Kind: MissingValue, Flag: name}
	}
	value, s.words = s.words[0], s.words[1:]
	return name, value, nil
}

// inWords are the words before a channel.
func inWords(more map[string]string) map[string]string {
	words := map[string]string{"in": "--in", "em": "--in", "no": "--in", "na": "--in", "--in": "--in"}
	for word, flag := range more {
		words[word] = flag
	}
	return words
}

// normal reads the words of a watch into its flags.
func (c Watch) normal() (Watch, error) {
	s := sentence{c.Words, inWords(map[string]string{"every": "--every", "cada": "--every", "a": "--every", "--every": "--every"})}
	c.Words = nil
	for len(s.words) > 0 {
		name, value, err := s.next()
		switch {
		case err != nil:
			return c, err
		case name == "--every":
			if err := c.Every.UnmarshalText([]byte(value)); err != nil {
				return c, withFlag(err, name)
			}
		case name == "--in":
			c.In = value
		default:
			return c, &UsageError{Kind: ExtraArgument, Word: value}
		}
	}
	return c, nil
}

func (c Unwatch) normal() (Unwatch, error) {
	s := sentence{c.Words, inWords(nil)}
	c.Words = nil
	for len(s.words) > 0 {
		name, value, err := s.next()
		switch {
		case err != nil:
			return c, err
		case name == "":
			return c, &UsageError{Kind: ExtraArgument, Word: value}
		}
		c.In = value
	}
	return c, nil
}

// normal reads the words of a suppression: a service, how long, and why, which is
// the rest.
func (c Suppress) normal() (Suppress, error) {
	c.Code = strings.ToUpper(c.Code)
	s := sentence{c.Words, map[string]string{
		"for": "--for", "por": "--for", "--for": "--for", "--owner": "--owner",
		"because": "--reason", "porque": "--reason", "pois": "--reason", "--reason": "--reason",
	}}
	c.Words = nil
	for first := true; len(s.words) > 0; first = false {
		name, value, err := s.next()
		switch {
		case err != nil:
			return c, err
		case name == "--for":
			if err := c.For.UnmarshalText([]byte(value)); err != nil {
				return c, withFlag(err, name)
			}
		case name == "--owner":
			c.Owner = value
		case name == "--reason":
			c.Reason, s.words = strings.Join(append([]string{value}, s.words...), " "), nil
		case first && !everyService(value):
			c.About = value
		case !first:
			return c, &UsageError{Kind: ExtraArgument, Word: value}
		}
	}
	c.Owner = strings.TrimPrefix(c.Owner, "@")
	if c.Reason = strings.TrimSpace(c.Reason); c.Reason == "" {
		return c, &UsageError{Kind: MissingValue, Flag: "--reason"}
	}
	if c.For == 0 {
		return c, &UsageError{Kind: MissingValue, Flag: "--for"}
	}
	return c, nil
}

func everyService(word string) bool {
	switch strings.ToLower(word) {
	case "*", "all", "everywhere", "todos", "tudo":
		return true
	}
	return false
}

func withFlag(err error, flag string) error {
	if usage, ok := errors.AsType[*UsageError](err); ok {
		usage.Flag = flag
	}
	return err
}
