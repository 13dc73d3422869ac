package slack

import (
	"maps"
	"slices"
)

// This file is the part of the state that is views: each person's stack of modals, and their Home tab.

// viewsOf is the open modals of user, of everybody when user is empty. Callers hold the lock.
func (st *state) viewsOf(user string) []View {
	all := []View{}
	for _, owner := range slices.Sorted(maps.Keys(st.views)) {
		if user == "" || owner == user {
			all = append(all, st.views[owner]...)
		}
	}
	return all
}

func (st *state) homesOf(user string) map[string]View {
	homes := map[string]View{}
	for owner, v := range st.homes {
		if user == "" || owner == user {
			homes[owner] = v
		}
	}
	return homes
}

func (st *state) home(user string) (View, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	v, ok := st.homes[user]
	return v, ok
}

// publish makes v the person's Home tab. With a hash, only while it is that of the tab that is there.
func (st *state) publish(v View, hash string) (View, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if old, ok := st.homes[v.User]; ok {
		if hash != "" && hash != old.Hash {
			return View{}, refuse("hash_conflict")
		}
		v.ID, v.RootViewID = old.ID, old.ID
	}
	if st.takenExternally(v) {
		return View{}, refuse("duplicate_external_id")
	}
	st.homes[v.User] = v
	st.tell(change{Kind: "home", User: v.User, Home: &v})
	return v, nil
}

// takenExternally reports whether another view has the same external id. Callers hold the lock.
func (st *state) takenExternally(v View) bool {
	if v.ExternalID == "" {
		return false
	}
	same := func(o View) bool { return o.ID != v.ID && o.ExternalID == v.ExternalID }
	return slices.ContainsFunc(st.viewsOf(""), same) || slices.ContainsFunc(slices.Collect(maps.Values(st.homes)), same)
}

func (st *state) setViews(user string, stack []View) {
	st.views[user] = stack
	if len(stack) == 0 {
		delete(st.views, user)
	}
	st.tell(change{Kind: "views", User: user, Views: stack})
}

// openView shows v as the only modal of its person.
func (st *state) openView(v View) (View, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.takenExternally(v) {
		return View{}, refuse("duplicate_external_id")
	}
	st.setViews(v.User, []View{v})
	return v, nil
}

// pushView shows v on top of the modal with the id above, which must be the topmost.
func (st *state) pushView(v View, above string) (View, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	stack := st.views[v.User]
	switch {
	case len(stack) == 0 || stack[len(stack)-1].ID != above:
		return View{}, refuse("not_found")
	case len(stack) >= maxPushed:
		return View{}, refuse("push_limit_reached")
	case st.takenExternally(v):
		return View{}, refuse("duplicate_external_id")
	}
	previous := stack[len(stack)-1].ID
	v.RootViewID, v.PreviousViewID = stack[0].ID, &previous
	st.setViews(v.User, append(slices.Clone(stack), v))
	return v, nil
}

// view finds an open modal by its id.
func (st *state) view(id string) (View, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.findView(func(v View) bool { return v.ID == id })
}

// viewExternally finds an open modal by the id that the app gave it.
func (st *state) viewExternally(id string) (View, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.findView(func(v View) bool { return v.ExternalID == id })
}

func (st *state) findView(is func(View) bool) (View, bool) {
	all := st.viewsOf("")
	i := slices.IndexFunc(all, is)
	if i < 0 {
		return View{}, false
	}
	return all[i], true
}

// updateView puts fresh in the place of the open modal with this id. With a hash, only while it is that modal's.
func (st *state) updateView(id, hash string, fresh View) (View, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	old, ok := st.findView(func(v View) bool { return v.ID == id })
	if !ok {
		return View{}, refuse("not_found")
	}
	if hash != "" && hash != old.Hash {
		return View{}, refuse("hash_conflict")
	}
	fresh.ID, fresh.RootViewID, fresh.PreviousViewID, fresh.User = old.ID, old.RootViewID, old.PreviousViewID, old.User
	fresh.State = keptState(old, fresh)
	if st.takenExternally(fresh) {
		return View{}, refuse("duplicate_external_id")
	}
	stack := slices.Clone(st.views[old.User])
	stack[slices.IndexFunc(stack, func(v View) bool { return v.ID == id })] = fresh
	st.setViews(old.User, stack)
	return fresh, nil
}

// keptState is what stays filled in when a view is written again: the blocks and elements that keep their ids.
func keptState(old, fresh View) ViewState {
	kept := ViewState{Values: map[string]map[string]object{}}
	for _, b := range fresh.Blocks {
		id, _ := b["block_id"].(string)
		for _, e := range elementsOf(b) {
			action, _ := e["action_id"].(string)
			if v, ok := old.State.Values[id][action]; ok && v["type"] == e["type"] {
				kept.put(id, action, v)
			}
		}
	}
	return kept
}

func (vs ViewState) put(block, action string, v object) {
	if vs.Values[block] == nil {
		vs.Values[block] = map[string]object{}
	}
	vs.Values[block][action] = v
}

// fillView keeps what a person has filled in so far.
func (st *state) fillView(id string, filled ViewState) {
	st.mu.Lock()
	defer st.mu.Unlock()
	v, ok := st.findView(func(v View) bool { return v.ID == id })
	if !ok {
		return
	}
	stack := slices.Clone(st.views[v.User])
	stack[slices.IndexFunc(stack, func(o View) bool { return o.ID == id })].State = filled
	st.setViews(v.User, stack)
}

// closeViews takes the modal with this id and those above it away, or the whole stack, and returns what it took.
func (st *state) closeViews(id string, all bool) []View {
	st.mu.Lock()
	defer st.mu.Unlock()
	v, ok := st.findView(func(v View) bool { return v.ID == id })
	if !ok {
		return nil
	}
	stack := st.views[v.User]
	from := slices.IndexFunc(stack, func(o View) bool { return o.ID == id })
	if all {
		from = 0
	}
	gone := slices.Clone(stack[from:])
	st.setViews(v.User, slices.Clone(stack[:from]))
	return gone
}
