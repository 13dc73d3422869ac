package remedies

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"

	"github.com/hashicorp/vault/api"

	"tandem/approvals"
)

const factFrom = "version to go back to"

// kvRollback writes what an older version of a secret holds as a new version.
// The value stays in this process for as long as that takes.
func kvRollback(d Deps) vaultRemedy {
	version := approvals.Param{Name: "version", About: both("version to go back to; the newest older one that can be read unless set",
		"versão para a qual voltar; se não for dita, a anterior mais nova que pode ser lida")}
	r := vaultRemedy{uses: 3, Remedy: approvals.Remedy{
		Name: "kv-rollback", Risk: approvals.Medium, Params: append(kvParams(), version), Repeatable: true, Settle: kvSettle,
		Title: both("Roll a secret back", "Voltar um secret a uma versão anterior"),
		About: both("Writes what an older version of a secret holds as its new version, when the current one was destroyed or is wrong. Nobody is shown the value.",
			"Grava como nova versão o que uma versão anterior do secret contém, quando a atual foi destruída ou está errada. O valor não é mostrado a ninguém."),
		Plan: d.planRollback, Execute: d.rollBack,
	}}
	for _, s := range d.secrets() {
		r.rights = append(r.rights, Right{Path: s.at("data"), Capabilities: []string{"read", "update"}})
	}
	return r
}

func (d Deps) planRollback(ctx context.Context, want approvals.Want) (approvals.Plan, error) {
	s, k, err := d.lookAtSecret(ctx, want, d.Vault.ready)
	if err != nil {
		return approvals.Plan{}, err
	}
	from, err := d.rollbackTo(want, s, k)
	if err != nil {
		return approvals.Plan{}, err
	}
	state, old := k.state(k.Current, d.Now()), k.state(from, d.Now())
	return approvals.Plan{
		Remedy: "kv-rollback", Service: want.Service, Target: s.target(), Risk: approvals.Medium, Params: want.Params,
		Does: both(fmt.Sprintf("Write what version %d of %s holds as its version %d.", from, s, k.Current+1),
			fmt.Sprintf("Gravar o conteúdo da versão %d de %s como versão %d.", from, s, k.Current+1)),
		Calls: rollbackCalls(s, from, k.Current),
		Why:   append(d.metadataSeen(want, s, k), d.seen(s.kv("metadata get"), fmt.Sprintf("version %d is %s", from, old))),
		Basis: []approvals.Fact{
			{Name: factCurrent, Value: strconv.FormatInt(k.Current, 10)},
			{Name: factState, Value: state},
			{Name: factFrom, Value: strconv.FormatInt(from, 10)},
		},
		Preconditions: []approvals.Precondition{{
			Text:  both(fmt.Sprintf("Version %d can be read.", from), fmt.Sprintf("A versão %d pode ser lida.", from)),
			Holds: old == live, Observed: old,
		}},
		Blast: both(fmt.Sprintf("Whoever reads %s gets what version %d holds.", s, from),
			fmt.Sprintf("Quem lê %s recebe o conteúdo da versão %d.", s, from)),
		WayBack: both(same(rollbackWayBack(s, k.Current, state))),
		Proof:   d.kvProof(want),
	}, nil
}

// rollbackTo is the version that is wanted.
func (d Deps) rollbackTo(want approvals.Want, s Secret, k kvState) (int64, error) {
	told := want.Params["version"]
	if told != "" {
		from, err := strconv.ParseInt(told, 10, 64)
		if err != nil || from < 1 || from >= k.Current || k.Versions[from] == nil {
			return 0, refuse(approvals.WhyParameters, fmt.Sprintf("expected in version an older version of %s than %d that is still kept", s, k.Current))
		}
		return from, nil
	}
	if len(want.Seen) == 0 && k.state(k.Current, d.Now()) == live {
		return 0, refuse(approvals.WhyHealthy, fmt.Sprintf("version %d of %s can be read: to go back all the same, say version", k.Current, s))
	}
	from := k.olderLive(d.Now())
	if from == 0 {
		return 0, refuse(approvals.WhyPrecondition, "no older version of "+s.String()+" can be read: let a person write it with kv-write")
	}
	return from, nil
}

// rollbackCalls read the old version, write it, and read what was written.
func rollbackCalls(s Secret, from, current int64) []approvals.Call {
	return []approvals.Call{
		{System: "vault", What: fmt.Sprintf("GET /v1/%s?version=%d (the value stays in the process)", s.at("data"), from)},
		{
			System: "vault", What: fmt.Sprintf(`PUT /v1/%s {"options":{"cas":%d},"data":what version %d holds}`, s.at("data"), current, from),
			ByHand: s.kv("rollback", fmt.Sprintf("-version=%d", from)),
		},
		{System: "vault", What: fmt.Sprintf("GET /v1/%s?version=%d (compared, and not kept)", s.at("data"), current+1)},
	}
}

// rollbackWayBack makes the secret what it was to its readers.
func rollbackWayBack(s Secret, current int64, state string) string {
	if state == live {
		return s.kv("rollback", fmt.Sprintf("-version=%d", current))
	}
	return s.kv("delete", fmt.Sprintf("-versions=%d", current+1))
}

// rollback is one execution.
type rollback struct {
	d             Deps
	s             Secret
	from, current int64
	calls         []approvals.Call
	act           approvals.Act
	own           privilege
}

func (d Deps) rollBack(ctx context.Context, p approvals.Plan, act approvals.Act) error {
	r := rollback{d: d, act: act}
	var err error
	if r.s, err = d.planned(p); err != nil {
		return err
	}
	if r.from, err = number(p, factFrom); err != nil {
		return err
	}
	if r.current, err = number(p, factCurrent); err != nil {
		return err
	}
	r.calls = rollbackCalls(r.s, r.from, r.current)
	return d.Vault.Elevator.lend(ctx, p.Remedy, act, func(ctx context.Context, own privilege) error {
		r.own = own
		return r.run(ctx)
	})
}

// run writes, unless an execution that broke off has written already, and holds
// that what is there is what was meant.
func (r rollback) run(ctx context.Context) error {
	k, err := r.d.Vault.kvState(ctx, r.s)
	if err != nil {
		return trouble(err, "nothing was changed: %s", reason(err))
	}
	if k.Current != r.current && k.Current != r.current+1 {
		return trouble(nil, "nothing was changed: %s has version %d, and the plan was made for %d: ask again", r.s, k.Current, r.current)
	}
	old, err := r.read(ctx, r.calls[0], r.from)
	defer clear(old)
	if err != nil {
		return trouble(err, "nothing was changed: version %d of %s could not be read: %s", r.from, r.s, reason(err))
	}
	if k.Current == r.current {
		if err := r.write(ctx, old); err != nil {
			return err
		}
	}
	return r.compare(ctx, old)
}

// read reads what a version holds, as JSON.
func (r rollback) read(ctx context.Context, call approvals.Call, version int64) (value []byte, err error) {
	err = r.act.Call(ctx, call.What, r.own.identity, func(ctx context.Context) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		value, err = readVersion(ctx, r.own.client, r.s, version)
		if err != nil {
			return "", trouble(err, "%s", reason(err))
		}
		return fmt.Sprintf("version %d was read", version), nil
	})
	return value, err
}

// readVersion takes the value out of an answer without making text of it, so
// that it can be wiped.
func readVersion(ctx context.Context, client *api.Client, s Secret, version int64) ([]byte, error) {
	response, err := client.Logical().ReadRawWithDataWithContext(ctx, s.at("data"), url.Values{"version": {strconv.FormatInt(version, 10)}})
	if response != nil {
		defer response.Body.Close()
	}
	if err != nil {
		return nil, err
	}
	raw, err := content(response)
	defer clear(raw)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data struct {
			Data json.RawMessage `json:"data"`
		} `json:"data"`
	}
	err = json.Unmarshal(raw, &answer)
	if value := answer.Data.Data; err == nil && len(value) > 0 && value[0] == '{' {
		return value, nil
	}
	clear(answer.Data.Data)
	return nil, trouble(nil, "the answer holds no value: see whether the version was deleted meanwhile")
}

func (r rollback) write(ctx context.Context, value []byte) error {
	return change{
		call: r.calls[1],
		do: func(ctx context.Context) (string, error) {
			body := fmt.Appendf(nil, `{"options":{"cas":%d},"data":%s}`, r.current, value)
			defer clear(body)
			_, err := r.own.client.Logical().WriteBytesWithContext(ctx, r.s.at("data"), body)
			return fmt.Sprintf("version %d is written", r.current+1), err
		},
		done: func(ctx context.Context) (bool, error) {
			k, err := r.d.Vault.kvState(ctx, r.s)
			return err == nil && k.Current == r.current+1, err
		},
	}.make(ctx, r.act, r.own.identity)
}

// compare holds that the new version is what the old one is: somebody else could
// have written it in the same moment.
func (r rollback) compare(ctx context.Context, old []byte) error {
	written, err := r.read(ctx, r.calls[2], r.current+1)
	defer clear(written)
	if err != nil {
		return trouble(err, "version %d of %s is written, and could not be read to compare: %s", r.current+1, r.s, reason(err))
	}
	if subtle.ConstantTimeCompare(old, written) != 1 {
		return trouble(nil, "version %d of %s holds something else than version %d: somebody else wrote it: look into Vault's audit log", r.current+1, r.s, r.from)
	}
	return nil
}
