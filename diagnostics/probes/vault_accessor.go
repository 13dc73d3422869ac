package probes

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"time"

	"tandem/diagnostics"
)

const (
	accessorEvent  = "vault_integration_initialized"
	accessorWindow = 24 * time.Hour  // how far back the last login may lie
	goneAfter      = 5 * time.Minute // a pod that is silent for so long while others log was replaced
	maxLogins      = 1000            // read from the logs
	maxTokens      = 20              // looked up, the newest

	fromFile = "file"
	fromLogs = "logs"
)

// accessor names a token without being one. Its value still goes into no
// evidence: who may use it can revoke the token.
type accessor struct {
	value string
	show  string // a shell word that gives the value
	from  string // fromFile or fromLogs
	pod   string // empty when not known
	at    time.Time
}

// of begins a sentence about the token.
func (a accessor) of() string {
	if a.pod == "" {
		return ""
	}
	return "pod " + a.pod + ": "
}

var accessorForm = regexp.MustCompile(`^[A-Za-z0-9._-]{8,128}$`)

// accessors finds the accessors of a service's tokens, the newest first and at
// least one: the one in the file, or those in the logs.
func (v vaultProbes) accessors(ctx context.Context, t *trail, service, file string) ([]accessor, error) {
	find := v.accessorsInLogs
	if file != "" {
		find = accessorInFile
	} else if v.logs == nil {
		return nil, notConfigured("the accessor of "+service+"'s Vault token", "services."+service+".accessor_file", lokiKey, filesKey, podLogsKey)
	}
	found, show, err := find(ctx, t, service, file)
	if err != nil {
		return nil, t.fail(show, blindNetwork("find the accessor of "+service+"'s Vault token", diagnostics.Text{}, err))
	}
	for _, acc := range found {
		if accessorForm.MatchString(acc.value) && !deadRinger(acc.value) {
			continue
		}
		return nil, t.fail(show, &diagnostics.BlindError{
			Reason: diagnostics.ReasonGarbage,
			Detail: "what is given as the accessor of " + service + "'s Vault token is not an accessor",
			Next: diagnostics.Both("give the accessor, not the token: vault token lookup -format=json shows it as data.accessor",
				"informe o accessor, não o token: vault token lookup -format=json o mostra como data.accessor"),
		})
	}
	t.add(show, "%d found, the newest of %s", len(found), found[0].at.UTC().Format(time.RFC3339))
	return found, nil
}

// deadRinger reports whether the text is a token, which must not be sent
// around as if it were harmless.
func deadRinger(text string) bool { return clean(text, maxDetail) != text }

func accessorInFile(_ context.Context, _ *trail, _, file string) ([]accessor, string, error) {
	show := shell("test", "-r", file)
	next := diagnostics.Both("let the service write the accessor of its Vault token there, or correct services.NAME.accessor_file",
		"faça o serviço gravar lá o accessor do token dele no Vault, ou corrija services.NAME.accessor_file")
	f, err := os.Open(file)
	if err != nil {
		reason := diagnostics.ReasonNoData
		if errors.Is(err, fs.ErrPermission) {
			reason = diagnostics.ReasonDenied
		}
		return nil, show, &diagnostics.BlindError{Reason: reason, Detail: err.Error(), Next: next, Err: err}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, show, err
	}
	b, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return nil, show, &diagnostics.BlindError{Reason: diagnostics.ReasonNoData, Detail: err.Error(), Next: next, Err: err}
	}
	return []accessor{{value: trimmed(b), show: `"$(cat ` + quote(file) + `)"`, from: fromFile, at: info.ModTime()}}, show, nil
}

// accessorsInLogs takes the accessors of the logins that the service logged,
// without those of pods that were replaced: their tokens died with them.
func (v vaultProbes) accessorsInLogs(ctx context.Context, t *trail, service, _ string) ([]accessor, string, error) {
	now := v.now()
	q := LogQuery{Service: service, Events: []string{accessorEvent}, Since: now.Add(-accessorWindow), Until: now, Limit: maxLogins, MatchesOnly: true}
	show := v.logs.Command(q)
	page, err := v.logs.Search(ctx, q)
	if err != nil {
		return nil, show, err
	}
	found, err := v.withoutGone(ctx, t, service, logins(page))
	if err != nil {
		return nil, show, err
	}
	if len(found) == 0 {
		return nil, show, &diagnostics.BlindError{
			Reason: diagnostics.ReasonNoData,
			Detail: "no event " + accessorEvent + " with a token_accessor of a running " + service + " in the last " + accessorWindow.String(),
			Next: diagnostics.Both("set services."+service+".accessor_file, or let it log token_accessor when it has logged in to Vault",
				"defina services."+service+".accessor_file, ou faça o serviço registrar token_accessor no log ao fazer login no Vault"),
		}
	}
	return found[:min(len(found), maxTokens)], show, nil
}

// logins are the last login of each pod, and every login of which the pod is
// not known.
func logins(page LogPage) []accessor {
	var found []accessor
	seen := map[string]bool{}
	for _, line := range page.Matches {
		record, err := line.record()
		if err != nil || record.event.Event != accessorEvent || record.accessor == "" || seen[record.accessor] {
			continue
		}
		pod := record.event.Pod
		seen[record.accessor] = true
		if pod != "" && seen["pod "+pod] {
			continue
		}
		seen["pod "+pod] = true
		found = append(found, accessor{value: record.accessor, show: `"$ACCESSOR"`, from: fromLogs, pod: pod, at: line.At})
	}
	return found
}

// withoutGone leaves out the pods that log no more while others do. Where the
// logs do not tell pods apart, nothing is left out.
func (v vaultProbes) withoutGone(ctx context.Context, t *trail, service string, found []accessor) ([]accessor, error) {
	if !slices.ContainsFunc(found, func(acc accessor) bool { return acc.pod != "" }) {
		return found, nil
	}
	now := v.now()
	q := LogQuery{Service: service, Since: now.Add(-goneAfter), Until: now, Limit: 1}
	page, err := v.logs.Search(ctx, q)
	if err != nil || len(page.Pods) == 0 {
		return found, err
	}
	var gone []string
	alive := slices.DeleteFunc(found, func(acc accessor) bool {
		silent := acc.pod != "" && page.Pods[acc.pod] == 0
		if silent {
			gone = append(gone, acc.pod)
		}
		return silent
	})
	if len(gone) > 0 {
		t.add(v.logs.Command(q), "not counted, for they log no more: %s", list(gone))
	}
	return alive, nil
}
