package remedies

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	entryv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/entry/v1"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc"

	"tandem/approvals"
)

// spireEntry makes the entries of one service what is declared.
func spireEntry(d Deps) approvals.Remedy {
	return d.entryRemedy(approvals.Remedy{
		Name: "spire-entry", Risk: approvals.Medium, Repeatable: true,
		Title: both("Create or update a SPIRE entry", "Criar ou atualizar uma entry do SPIRE"),
		About: both("Makes the registration entries of the service what the configuration declares. It deletes none.",
			"Deixa as entries de registro do serviço como a configuração declara. Não apaga nenhuma."),
	}, d.entriesOf, func(service string) string { return "spire:entry:" + service })
}

// spireEntries is the runbook's procedure: all declared entries.
func spireEntries(d Deps) approvals.Remedy {
	return d.entryRemedy(approvals.Remedy{
		Name: "spire-entries", Risk: approvals.High, Repeatable: true, Procedure: true,
		Title: both("Recreate the SPIRE entries", "Recriar as entries do SPIRE"),
		About: both("Compares all declared registration entries with the stored ones, and creates or updates those that differ. It deletes none.",
			"Compara todas as entries declaradas com as guardadas, e cria ou atualiza as que diferem. Não apaga nenhuma."),
	}, func(string) ([]Entry, error) { return d.SPIRE.Entries, nil }, func(string) string { return "spire:entries" })
}

// entriesOf are the declared entries of a service.
func (d Deps) entriesOf(service string) ([]Entry, error) {
	s, err := d.service(service)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(d.SPIRE.Entries), func(e Entry) bool { return s.SPIFFEID == "" || e.SPIFFEID != s.SPIFFEID }), nil
}

// entryRemedy makes a remedy of entries. Which are declared may follow from the
// service.
func (d Deps) entryRemedy(r approvals.Remedy, declared func(service string) ([]Entry, error), target func(service string) string) approvals.Remedy {
	r.Plan = func(ctx context.Context, want approvals.Want) (approvals.Plan, error) {
		entries, err := declared(want.Service)
		if err != nil {
			return approvals.Plan{}, err
		}
		return d.planEntries(ctx, r, want, entries, target(want.Service))
	}
	r.Execute = func(ctx context.Context, p approvals.Plan, act approvals.Act) error {
		entries, err := declared(p.Service)
		if err != nil {
			return &approvals.Trouble{Text: "nothing was changed: the configuration does not know the service any more", Err: err}
		}
		return d.writeEntries(ctx, p, entries, act)
	}
	return r
}

// readyForEntries refuses when nothing could be looked at, or nothing done.
func (d Deps) readyForEntries(declared []Entry) error {
	switch {
	case d.SPIRE.Server == "":
		return refuse(approvals.WhyNoRemedy, "the SPIRE server is not configured: set spiffe.server_address in the configuration")
	case d.SPIRE.Admin == "":
		return refuse(approvals.WhyNoRemedy, "no address of the SPIRE server that may change entries is configured: set remedies.spire.admin_address")
	case len(declared) == 0:
		return refuse(approvals.WhyNoRemedy, "no entry is declared: declare it in remedies.spire.entries")
	}
	return nil
}

func (d Deps) planEntries(ctx context.Context, r approvals.Remedy, want approvals.Want, declared []Entry, target string) (approvals.Plan, error) {
	if err := d.readyForEntries(declared); err != nil {
		return approvals.Plan{}, err
	}
	var stored []*types.Entry
	err := d.SPIRE.read(ctx, func(ctx context.Context, conn grpc.ClientConnInterface) (err error) {
		stored, err = storedEntries(ctx, conn, declared)
		return err
	})
	if err != nil {
		return approvals.Plan{}, refuse(approvals.WhyBlind, "list the entries: "+spireReason(err))
	}
	work, err := compare(declared, stored)
	if err != nil {
		return approvals.Plan{}, err
	}
	if len(work) == 0 {
		return approvals.Plan{}, refuse(approvals.WhyHealthy, fmt.Sprintf("all declared entries are stored as declared: %d", len(declared)))
	}
	p := approvals.Plan{
		Remedy: r.Name, Service: want.Service, Params: want.Params, Target: target, Risk: r.Risk, Why: d.saw(want),
		Does: both(fmt.Sprintf("Make %d of the %d declared SPIRE entries what is declared; %d are stored now.", len(work), len(declared), len(stored)),
			fmt.Sprintf("Deixar %d das %d entries declaradas do SPIRE como declarado; %d estão guardadas agora.", len(work), len(declared), len(stored))),
		Proof: d.entryProof(want),
	}
	for _, w := range work {
		d.add(ctx, &p, w)
	}
	return p, nil
}

// entryProof needs a service, of which a procedure may have none.
func (d Deps) entryProof(want approvals.Want) []string {
	if s, err := d.service(want.Service); err != nil || s.SPIFFEID == "" {
		return proof(want)
	}
	return proof(want, "SPF-003")
}

// add adds the work on one entry to a plan.
func (d Deps) add(ctx context.Context, p *approvals.Plan, w entryWork) {
	id := idText(w.wanted.SpiffeId)
	observed := "no entry issues it below " + idText(w.wanted.ParentId)
	untouchable := false
	if w.stored != nil {
		observed = fmt.Sprintf("entry %s differs in %s; its selectors are %s", w.stored.Id, strings.Join(w.differs(), ", "), strings.Join(texts(w.stored.Selectors), ", "))
		untouchable = w.stored.Admin || w.stored.Downstream
	}
	p.Calls = append(p.Calls, w.call(d.SPIRE))
	p.Basis = append(p.Basis, w.basis())
	p.Why = append(p.Why, d.seen(shell("spire-server", "entry", "show", "-spiffeID", id), observed))
	judged := d.intended(ctx, w.declared)
	p.Preconditions = append(p.Preconditions,
		approvals.Precondition{
			Text: both("The selectors for "+id+" match a living pod of its service, and none of another service account.",
				"Os selectors de "+id+" casam com um pod vivo do serviço, e com nenhum de outra service account."),
			Holds: judged.holds, Observed: judged.observed,
		},
		approvals.Precondition{
			Text:  both("The entry of "+id+" is neither an admin's nor a downstream server's.", "A entry de "+id+" não é de admin nem de servidor downstream."),
			Holds: !untouchable,
		})
	p.Blast.EN = withLine(p.Blast.EN, "Pods with "+strings.Join(texts(w.wanted.Selectors), ", ")+" get the identity "+id+" within about 10 seconds: an identity is privilege.")
	p.Blast.PT = withLine(p.Blast.PT, "Pods com "+strings.Join(texts(w.wanted.Selectors), ", ")+" recebem a identidade "+id+" em uns 10 segundos: identidade é privilégio.")
	p.WayBack.EN = withLine(p.WayBack.EN, w.wayBack(d.SPIRE))
	p.WayBack.PT = withLine(p.WayBack.PT, w.wayBack(d.SPIRE))
}

// withLine adds a line to a text.
func withLine(text, line string) string { return strings.TrimPrefix(text+"\n"+line, "\n") }

// writeEntries does what is still to be done of a plan, and nothing else.
func (d Deps) writeEntries(ctx context.Context, p approvals.Plan, declared []Entry, act approvals.Act) error {
	return d.SPIRE.change(ctx, func(api entryv1.EntryClient, conn grpc.ClientConnInterface) error {
		work, err := d.openWork(ctx, conn, declared)
		if err != nil {
			return err
		}
		for i, w := range work {
			if err := d.writeEntry(ctx, p, w, api, conn, act); err != nil {
				return partly(err, len(p.Calls)-len(work)+i, len(p.Calls))
			}
		}
		if len(work) == 0 {
			say(ctx, act, both("All declared entries are stored already.", "Todas as entries declaradas já estão guardadas."))
		}
		return nil
	})
}

// openWork is what is to be done now.
func (d Deps) openWork(ctx context.Context, conn grpc.ClientConnInterface, declared []Entry) ([]entryWork, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	stored, err := storedEntries(ctx, conn, declared)
	if err != nil {
		return nil, &approvals.Trouble{Text: "nothing was changed: list the entries: " + spireReason(err), Err: err}
	}
	work, err := compare(declared, stored)
	if err != nil {
		return nil, &approvals.Trouble{Text: "nothing was changed: a declared entry is wrong: look at remedies.spire.entries", Err: err}
	}
	return work, nil
}

// writeEntry makes one call, if it is one that was approved, on the entry that
// was seen, for the pods that are meant.
func (d Deps) writeEntry(ctx context.Context, p approvals.Plan, w entryWork, api entryv1.EntryClient, conn grpc.ClientConnInterface, act approvals.Act) error {
	call := w.call(d.SPIRE)
	if !slices.Contains(p.Calls, call) || !slices.Contains(p.Basis, w.basis()) {
		return &approvals.Trouble{Text: "not done: the entry " + w.id() + " or its declaration is not what was approved any more; ask again"}
	}
	if judged := d.intended(ctx, w.declared); !judged.holds {
		return &approvals.Trouble{Text: "not done: the selectors of the entry " + w.id() + " do not reach the right pods any more; ask again"}
	}
	return attempt{
		call: call.What, why: ofSPIRE,
		do: func(ctx context.Context) (string, error) { return w.send(ctx, api) },
		done: func(ctx context.Context) (bool, error) {
			work, err := d.openWork(ctx, conn, []Entry{w.declared})
			return err == nil && len(work) == 0, err
		},
	}.make(ctx, act, d.SPIRE.identity())
}

// partly says how much was done before a trouble.
func partly(err error, done, of int) error {
	var trouble *approvals.Trouble
	if of == 1 || !errors.As(err, &trouble) {
		return err
	}
	return &approvals.Trouble{Text: fmt.Sprintf("%d of %d entries are done; then: %s", done, of, trouble.Text), Err: err}
}
