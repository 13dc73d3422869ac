package bench

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"
)

// asks makes slash commands that all differ, as Slack's do.
type asks struct {
	people  int    // who take turns in asking
	text    string // after the command
	address string // that answers go to

	made atomic.Int64
}

// next is one slash command, by the fields that Slack sends.
func (a *asks) next() map[string]string {
	n := int(a.made.Add(1))
	who := member(n % a.people)
	return map[string]string{
		"token": "gIkuvaNzQIHg97ATvDxqgjtO", "team_id": team, "team_domain": "neural-hive",
		"channel_id": channel, "channel_name": "incidents", "user_id": who, "user_name": "person",
		"command": slashCommand, "text": a.text, "api_app_id": "A0TANDEM01", "is_enterprise_install": "false",
		"response_url": fmt.Sprintf("%s/hooks/commands/%011d/Xq2nKzT0aWcV5yLr8mBd4sJe", a.address, n),
		"trigger_id":   fmt.Sprintf("%013d.%012d.0e1f2a3b4c5d6e7f8091a2b3c4d5e6f7", n, n),
	}
}

// request is one as Slack sends it over HTTP, signed now, to the last byte.
func (a *asks) request(host string) []byte {
	form := url.Values{}
	for name, value := range a.next() {
		form.Set(name, value)
	}
	body, at := form.Encode(), strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(signingSecret))
	fmt.Fprintf(mac, "v0:%s:%s", at, body)
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: Slackbot 1.0 (+https://api.slack.com/robots)\r\n"+
		"Accept-Encoding: gzip,deflate\r\nAccept: application/json,*/*\r\nX-Slack-Signature: v0=%s\r\n"+
		"X-Slack-Request-Timestamp: %s\r\nContent-Length: %d\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n%s",
		commandsPath, host, hex.EncodeToString(mac.Sum(nil)), at, len(body), body)
	return b.Bytes()
}

// envelope is one as Slack sends it over Socket Mode, for a slot to wait for.
func (a *asks) envelope(slot, number int) []byte {
	raw, err := json.Marshal(map[string]any{
		"envelope_id": envelopeID(slot, number), "type": "slash_commands", "payload": a.next(), "accepts_response_payload": true,
	})
	if err != nil {
		panic(err) // texts always marshal
	}
	return raw
}
