package slack

func defaultApp() App {
	return App{
		ID: "A0TANDEM01", Name: "Tandem", UserID: "U0TANDEM01", BotID: "B0TANDEM01",
		Commands: []Command{{
			Name:        "/vault",
			Description: "Diagnose Vault and SPIFFE for a service",
			UsageHint:   "diagnose SERVICE | checks [CODE] | help",
			Suggestions: []string{
				"diagnose orchestrator", "diagnose worker", "diagnose service-registry", "checks", "help",
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

func defaultPeople() []Person {
	return []Person{
		{ID: "U0ANA00001", Name: "ana", RealName: "Ana Souza", Title: "SRE", TZ: "America/Sao_Paulo", TZOffset: -10800, Locale: "pt-BR"},
		{ID: "U0BRUNO001", Name: "bruno", RealName: "Bruno Lima", Title: "Platform engineer", TZ: "America/New_York", TZOffset: -18000, Locale: "en-US"},
		{ID: "U0CARLA001", Name: "carla", RealName: "Carla Dias", Title: "Security engineer", TZ: "Europe/Lisbon", TZOffset: 0, Locale: "en-US"},
	}
}

func defaultChannels(bot string, people []Person) []Channel {
	var members []string
	for _, p := range people {
		members = append(members, p.ID)
	}
	return []Channel{
		{ID: "C0INCIDENT", Name: "incidents", Topic: "What is on fire, and who holds the hose", Members: append([]string{bot}, members...)},
		{ID: "C0GENERAL1", Name: "general", Topic: "Company-wide talk", Members: members},
	}
}
