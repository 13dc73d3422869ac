package probes

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"regexp"
	"time"

	"tandem/diagnostics"
)

const (
	accessorEvent  = "vault_integration_initialized"
	accessorWindow = 24 * time.Hour // how far back the last login may lie
)

// accessor names a token without being one. Its value still goes into no
// evidence: who may use it can revoke the token.
type accessor struct {
	value string
	show  string // a shell word that gives the value
	from  string // file or logs
	at    time.Time
}

var accessorForm = regexp.MustCompile(`^[A-Za-z0-9._-]{8,128}$`)

// accessor finds the accessor of a service's token.
func (v vaultProbes) accessor(ctx context.Context, t *trail, service, file string) (accessor, error) {
	var acc accessor
	var show string
	var err error
	if file != "" {
		show = shell("test", "-r", file)
		acc, err = accessorInFile(file)
	} else {
		if v.logs == nil {
			return acc, notConfigured("the accessor of "+service+"'s Vault token", "services."+service+".accessor_file, or logs,")
		}
		acc, show, err = v.accessorInLogs(ctx, service)
	}
	if err != nil {
		return acc, t.fail(show, blindNetwork("find the accessor of "+service+"'s Vault token", "", err))
	}
	if !accessorForm.MatchString(acc.value) || deadRinger(acc.value) {
		return acc, t.fail(show, &diagnostics.BlindError{
			Reason: diagnostics.ReasonGarbage,
			Detail: "what is given as the accessor of " + service + "'s Vault token is not an accessor",
			Next:   "give the accessor, not the token: vault token lookup -format=json shows it as data.accessor",
		})
	}
	t.add(show, "accessor found, of %s", acc.at.UTC().Format(time.RFC3339))
	return acc, nil
}

// deadRinger reports whether the text is a token, which must not be sent
// around as if it were harmless.
func deadRinger(text string) bool { return clean(text, maxDetail) != text }

func accessorInFile(file string) (accessor, error) {
	next := "let the service write the accessor of its Vault token there, or correct services.NAME.accessor_file"
	f, err := os.Open(file)
	if err != nil {
		reason := diagnostics.ReasonNoData
		if errors.Is(err, fs.ErrPermission) {
			reason = diagnostics.ReasonDenied
		}
		return accessor{}, &diagnostics.BlindError{Reason: reason, Detail: err.Error(), Next: next, Err: err}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return accessor{}, err
	}
	b, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return accessor{}, &diagnostics.BlindError{Reason: diagnostics.ReasonNoData, Detail: err.Error(), Next: next, Err: err}
	}
	return accessor{value: trimmed(b), show: `"$(cat ` + quote(file) + `)"`, from: "file", at: info.ModTime()}, nil
}

// accessorInLogs takes the accessor of the newest login that the service
// logged.
func (v vaultProbes) accessorInLogs(ctx context.Context, service string) (accessor, string, error) {
	now := v.now()
	q := LogQuery{Service: service, Words: []string{accessorEvent}, Since: now.Add(-accessorWindow), Until: now, Limit: 20}
	show := v.logs.Command(q)
	page, err := v.logs.Search(ctx, q)
	if err != nil {
		return accessor{}, show, err
	}
	for _, line := range page.Matches {
		record, err := parseLogLine(line.Text)
		if err != nil || record.event.Event != accessorEvent || record.accessor == "" {
			continue
		}
		return accessor{value: record.accessor, show: `"$ACCESSOR"`, from: "logs", at: line.At}, show, nil
	}
	return accessor{}, show, &diagnostics.BlindError{
		Reason: diagnostics.ReasonNoData,
		Detail: "no event " + accessorEvent + " of " + service + " with a token_accessor in the last " + accessorWindow.String(),
		Next:   "set services." + service + ".accessor_file, or let it log token_accessor when it has logged in to Vault",
	}
}
