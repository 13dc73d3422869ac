package slack

import "slices"

// defaultEvents are the subscriptions of the app's manifest.
func defaultEvents() []string {
	return []string{
		"app_mention", "reaction_added", "reaction_removed", "app_home_opened", "member_joined_channel",
		"channel_id_changed", "message.im", "tokens_revoked", "app_uninstalled",
	}
}

func defaultShortcuts() []Shortcut {
	return []Shortcut{{
		Name: "Diagnose this", CallbackID: "diagnose_this", Type: "message",
		Description: "Diagnose the service that a message is about",
	}}
}

func defaultApp() App {
	return App{
		ID: "A0TANDEM01", Name: "Tandem", UserID: "U0TANDEM01", BotID: "B0TANDEM01",
		Commands: []Command{{
			Name:         "/vault",
			Description:  "Diagnose Vault and SPIFFE for a service",
			ShouldEscape: true,
			UsageHint:    "diagnose SERVICE | checks [CODE] | help",
			Suggestions: []string{
				"diagnose orchestrator — look for what is wrong with a service", "diagnose worker", "diagnose service-registry",
				"checks — all that can be checked", "checks VLT-001", "explain VLT-001 — what a check looks at, and why",
				"whoami — what Slack says of you, and what you may do here", "help — every command", "help diagnose",
			},
		}},
	}
}

// defaultScopes are the bot scopes of the app's manifest. History scopes and channels:join are absent on purpose: the
// app must work without them.
func defaultScopes() []string {
	return []string{
		"commands", "chat:write", "app_mentions:read", "reactions:read", "reactions:write", "users:read",
		"usergroups:read", "channels:read", "groups:read", "im:write", "im:history", "files:write",
	}
}

// partnerTeam is the other organisation of the shared channel.
const partnerTeam = "T0PARTNER1"

// defaultPeople has one account of each kind that an app must tell apart. Ana has two: they share an address.
func defaultPeople() []Person {
	return []Person{
		{
			ID: "U0ANA00001", Name: "ana", RealName: "Ana Souza", Title: "SRE", Email: "ana@neural-hive.example",
			TZ: "America/Sao_Paulo", TZOffset: -10800, Locale: "pt-BR",
		},
		{
			ID: "U0BRUNO001", Name: "bruno", RealName: "Bruno Lima", Title: "Platform engineer", Email: "bruno@neural-hive.example",
			TZ: "America/New_York", TZOffset: -18000, Locale: "en-US",
		},
		{
			ID: "U0CARLA001", Name: "carla", RealName: "Carla Dias", Title: "Security engineer", Email: "carla@neural-hive.example",
			TZ: "Europe/Lisbon", Locale: "en-US",
		},
		{
			ID: "U0GUEST001", Name: "gil", RealName: "Gil Prado", Title: "Contractor", Email: "gil@contractor.example",
			TZ: "America/Sao_Paulo", TZOffset: -10800, Locale: "pt-BR", IsRestricted: true,
		},
		{
			ID: "U0STRANGE1", TeamID: partnerTeam, Name: "paula", RealName: "Paula Reis", Title: "Partner's engineer",
			TZ: "Europe/Lisbon", IsStranger: true,
		},
		{ID: "U0DAVI0001", Name: "davi", RealName: "Davi Nunes", Email: "davi@neural-hive.example", Deleted: true},
		{ID: "U0DEPLOYB1", Name: "deploybot", RealName: "Deploy Bot", IsBot: true, Locale: "en-US"},
		{
			ID: "U0ANAADM01", Name: "ana.admin", RealName: "Ana Souza (admin)", Email: "ana@neural-hive.example",
			TZ: "America/Sao_Paulo", TZOffset: -10800, Locale: "pt-BR", IsAdmin: true,
		},
	}
}

func defaultUserGroups(people []Person) []UserGroup {
	return []UserGroup{
		{
			ID: "S0SRE00001", Handle: "sre", Name: "Site reliability", Description: "On call for the platform",
			Users: known(people, "U0ANA00001", "U0BRUNO001"),
		},
		{
			ID: "S0SECURI01", Handle: "security", Name: "Security", Description: "Owns Vault",
			Users: known(people, "U0CARLA001"),
		},
	}
}

// defaultChannels has one channel of each kind. In the two open ones is everybody who can be.
func defaultChannels(bot string, people []Person) []Channel {
	var everybody []string
	for _, p := range people {
		if !p.Deleted && !p.IsStranger {
			everybody = append(everybody, p.ID)
		}
	}
	with := func(ids ...string) []string { return append([]string{bot}, known(people, ids...)...) }
	return []Channel{
		{ID: "C0INCIDENT", Name: "incidents", Topic: "What is on fire, and who holds the hose", Members: append([]string{bot}, everybody...)},
		{ID: "C0GENERAL1", Name: "general", Topic: "Company-wide talk", Members: everybody},
		{ID: "C0WARROOM1", Name: "vault-war-room", Topic: "Only who works on it", IsPrivate: true, Members: with("U0ANA00001", "U0CARLA001")},
		{
			ID: "C0PARTNER1", Name: "partner-ops", Topic: "Shared with our partner", IsExtShared: true, Teams: []string{partnerTeam},
			Members: with("U0ANA00001", "U0BRUNO001", "U0STRANGE1"),
		},
		{ID: "C0OLDINCID", Name: "old-incidents", Topic: "Last year's", IsArchived: true, Members: with("U0ANA00001", "U0BRUNO001")},
	}
}

// known keeps those ids that are people of the workspace.
func known(people []Person, ids ...string) []string {
	return slices.DeleteFunc(ids, func(id string) bool {
		return !slices.ContainsFunc(people, func(p Person) bool { return p.ID == id })
	})
}
