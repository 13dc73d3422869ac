package remedies

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem/approvals"
)

// How long the remedy waits for a person: in spells, between each of which the
// kill switch is heard, looking every so often.
const (
	handOverSpells = 10
	handOverSpell  = time.Minute
	handOverLook   = 2 * time.Second
)

const (
	factHas  = "its keys"
	factKeys = "keys to write"
)

// kvWrite has a person write a new value with their own identity: it says how,
// waits, and looks at what came of it. It takes no privilege, and sees no value.
func kvWrite(d Deps) vaultRemedy {
	keys := approvals.Param{Name: "keys", About: both("names of the keys to write, separated by commas; those that are missing unless set",
		"nomes das chaves a gravar, separados por vírgulas; se não forem ditos, as que faltam")}
	return vaultRemedy{Remedy: approvals.Remedy{
		Name: "kv-write", Risk: approvals.Medium, Params: append(kvParams(), keys), Repeatable: true, Settle: kvSettle,
		Title: both("Have a person write a secret", "Pedir a uma pessoa que grave um secret"),
		About: both("Prepares the command with which a person writes a secret with their own Vault identity, waits, and checks the result. No value passes through Slack or the bot.",
			"Monta o vault kv put com que uma pessoa grava um secret com a própria identidade, espera, e confere o resultado. Nenhum valor passa pelo Slack nem pelo bot."),
		Plan: d.planWrite, Execute: d.handOver,
	}}
}

// handover is what a person is asked to write.
type handover struct {
	s       Secret
	current int64    // version that is there; 0: none was ever written
	state   string   // of that version
	has     []string // keys of a version that can be read
	keys    []string // to write
}

func (d Deps) planWrite(ctx context.Context, want approvals.Want) (approvals.Plan, error) {
	s, k, err := d.lookAtSecret(ctx, want, d.Vault.looks)
	if err != nil {
		return approvals.Plan{}, err
	}
	h := handover{s: s, current: k.Current, state: k.state(k.Current, d.Now())}
	if h.state == live {
		if h.has, err = d.Vault.kvKeys(ctx, s, k.Current); err != nil {
			return approvals.Plan{}, err
		}
	}
	if h.keys, err = h.wanted(want); err != nil {
		return approvals.Plan{}, err
	}
	keys := strings.Join(h.keys, ",")
	return approvals.Plan{
		Remedy: "kv-write", Service: want.Service, Target: s.target(), Risk: approvals.Medium, Params: want.Params,
		Does: both(fmt.Sprintf("Have a person write version %d of %s with %s.", h.current+1, s, keys),
			fmt.Sprintf("Pedir a uma pessoa que grave a versão %d de %s com %s.", h.current+1, s, keys)),
		Calls: []approvals.Call{h.call()},
		Why:   h.seen(d, want, k),
		Basis: []approvals.Fact{
			{Name: factCurrent, Value: strconv.FormatInt(h.current, 10)},
			{Name: factState, Value: h.state},
			{Name: factHas, Value: strings.Join(h.has, ",")},
			{Name: factKeys, Value: keys},
		},
		Preconditions: []approvals.Precondition{{
			Text: both("Somebody with the right to write it is at hand: the bot waits "+handOverTime()+".",
				"Alguém com direito de gravar está a postos: o bot espera "+handOverTime()+"."),
			Holds: true,
		}},
		Blast:   both("Whoever reads "+s.String()+" gets the new value.", "Quem lê "+s.String()+" recebe o novo valor."),
		WayBack: both(same(rollbackWayBack(h.s, h.current, h.state))),
		Proof:   d.kvProof(want),
	}, nil
}

// wanted are the keys to write: those that were told, those that are missing, or
// all, when nothing is there or the finding says that what is there is wrong.
func (h handover) wanted(want approvals.Want) ([]string, error) {
	if len(h.s.Keys) == 0 {
		return nil, refuse(approvals.WhyParameters, "the configuration names no keys of "+h.s.String()+": set its keys")
	}
	lacks := without(h.s.Keys, h.has)
	switch told := want.Params["keys"]; {
	case told != "":
		return h.told(told)
	case len(lacks) > 0:
		return lacks, nil
	case len(want.Seen) > 0:
		return h.s.Keys, nil
	default:
		return nil, refuse(approvals.WhyHealthy, h.s.String()+" has all its keys: to have one written anew, say it in keys")
	}
}

// told are the keys of a list, which are keys of the configuration.
func (h handover) told(list string) ([]string, error) {
	var keys []string
	for key := range strings.SplitSeq(list, ",") {
		key = strings.TrimSpace(key)
		if !slices.Contains(h.s.Keys, key) || slices.Contains(keys, key) {
			return nil, refuse(approvals.WhyParameters, fmt.Sprintf("expected in keys some of the keys of %s in the configuration: %s", h.s, strings.Join(h.s.Keys, ", ")))
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// patches says whether other keys are to stay as they are.
func (h handover) patches() bool {
	return len(without(h.has, h.keys)) > 0
}

// command is what the person types. The value comes from the standard input, so
// that it is in no history.
func (h handover) command() string {
	verb := "put"
	if h.patches() {
		verb = "patch"
	}
	command := h.s.kv(verb, fmt.Sprintf("-cas=%d", h.current))
	if len(h.keys) == 1 {
		return command + " " + shellWord(h.keys[0]+"=-")
	}
	return command + " -"
}

func (h handover) call() approvals.Call {
	return approvals.Call{
		System: "person", ByHand: h.command(),
		What: fmt.Sprintf("write version %d of %s with %s, with an identity of their own", h.current+1, h.s, strings.Join(h.keys, ",")),
	}
}

func (h handover) seen(d Deps, want approvals.Want, k kvState) []approvals.Evidence {
	seen := d.metadataSeen(want, h.s, k)
	if h.state == live {
		command := shell("vault", "read", fmt.Sprintf("%s?version=%d", h.s.at("subkeys"), h.current))
		seen = append(seen, d.seen(command, "its keys: "+strings.Join(h.has, ", ")))
	}
	return seen
}

// listed are the names in a fact.
func listed(names string) []string {
	return strings.FieldsFunc(names, func(r rune) bool { return r == ',' })
}

// handOverTime is how long a person has.
func handOverTime() string { return minutes(handOverSpells * handOverSpell) }

func (d Deps) handOver(ctx context.Context, p approvals.Plan, act approvals.Act) error {
	s, err := d.planned(p)
	if err != nil {
		return err
	}
	if err := d.Vault.looks(); err != nil {
		return strange(p)
	}
	current, err := number(p, factCurrent)
	if err != nil {
		return err
	}
	h := handover{s: s, current: current, keys: listed(fact(p, factKeys)), has: listed(fact(p, factHas))}
	h.say(ctx, act)
	return d.await(ctx, h, act)
}

// say tells the person what to type.
func (h handover) say(ctx context.Context, act approvals.Act) {
	en := "type or paste the value and press Ctrl-D twice, without Enter: a line break would become a part of it"
	pt := "digite ou cole o valor e tecle Ctrl-D duas vezes, sem Enter: uma quebra de linha passaria a fazer parte dele"
	if len(h.keys) > 1 {
		keys := strings.Join(h.keys, ", ")
		en = "type or paste a JSON object with the keys " + keys + ", and press Ctrl-D"
		pt = "digite ou cole um objeto JSON com as chaves " + keys + ", e tecle Ctrl-D"
	}
	say(ctx, act, both(
		"Somebody who may write "+h.s.String()+", within "+handOverTime()+", in a terminal with your own Vault identity:\n"+h.command()+"\nThen "+en+". Never send the value here.",
		"Quem pode gravar "+h.s.String()+", em até "+handOverTime()+", num terminal com sua própria identidade no Vault:\n"+h.command()+"\nDepois "+pt+". Nunca mande o valor aqui."))
}

// await looks until the new version is there, spell by spell.
func (d Deps) await(ctx context.Context, h handover, act approvals.Act) error {
	var last sight
	for spell := 0; spell < handOverSpells && !last.written; spell++ {
		err := act.Call(ctx, h.call().What, "a person, with an identity of their own", func(ctx context.Context) (string, error) {
			last = d.watch(ctx, h)
			if last.wrong != nil || !last.written {
				return "not written yet", last.wrong
			}
			return fmt.Sprintf("version %d is there, with its keys; Vault's audit log says who wrote it", h.current+1), nil
		})
		if err != nil {
			return err
		}
	}
	return h.ending(last)
}

// sight is what one look showed.
type sight struct {
	written bool
	wrong   error // what is wrong with what was written, or that the wait was stopped
	blind   error // why nothing was seen
}

// watch looks again and again for a spell.
func (d Deps) watch(ctx context.Context, h handover) sight {
	for ended := time.Now().Add(handOverSpell); ; {
		seen := d.handedOver(ctx, h)
		if seen.written || seen.wrong != nil || !time.Now().Before(ended) {
			return seen
		}
		if err := wake(ctx, handOverLook); err != nil {
			return sight{wrong: trouble(err, "stopped while waiting: see whether version %d of %s was written", h.current+1, h.s)}
		}
	}
}

// ending is what there is to say when the time is over.
func (h handover) ending(last sight) error {
	switch {
	case last.written:
		return nil
	case last.blind != nil:
		return trouble(last.blind, "nobody knows whether version %d of %s was written within %s: %s", h.current+1, h.s, handOverTime(), reason(last.blind))
	default:
		return trouble(nil, "version %d of %s was not written within %s, and nothing was changed: ask again when somebody is at hand", h.current+1, h.s, handOverTime())
	}
}

// handedOver looks once.
func (d Deps) handedOver(ctx context.Context, h handover) sight {
	k, err := d.Vault.kvState(ctx, h.s)
	switch {
	case err != nil || k.Current == h.current:
		return sight{blind: err}
	case k.Current != h.current+1:
		return sight{wrong: trouble(nil, "%s has version %d, and only version %d was expected: look into Vault's audit log who writes it", h.s, k.Current, h.current+1)}
	}
	keys, err := d.Vault.kvKeys(ctx, h.s, k.Current)
	lacks := without(slices.Concat(h.keys, h.has), keys)
	if err == nil && len(lacks) > 0 {
		return sight{wrong: trouble(nil, "version %d of %s is written and lacks the key %s: write it again", k.Current, h.s, strings.Join(lacks, ", "))}
	}
	return sight{written: err == nil, blind: err}
}
