package world

// lokiSpec describes the Loki server: one process, files as its store, and no
// wait before it takes and gives lines.
func (b *builder) lokiSpec() spec {
	file := b.folder.conf("loki")
	url := b.state.Loki.URL
	return spec{
		name: "loki", path: b.binaries.loki, address: url, logFile: b.folder.log("loki"),
		args:   []string{"-config.file=" + file},
		config: b.lokiConfig(), configFile: file, ready: answersOK(url + "/ready"),
	}
}

// lokiConfig is Loki's configuration; Loki reads YAML, of which JSON is a part.
func (b *builder) lokiConfig() map[string]any {
	data := b.folder.path("data", "loki")
	host, port := hostAndPort(hostPort(b.state.Loki.URL))
	grpcHost, grpcPort := hostAndPort(b.lokiGRPC)
	ring := map[string]any{"kvstore": map[string]any{"store": "inmemory"}, "instance_addr": host}
	return map[string]any{
		"auth_enabled": false,
		"analytics":    map[string]any{"reporting_enabled": false},
		"server": map[string]any{
			"http_listen_address": host, "http_listen_port": port,
			"grpc_listen_address": grpcHost, "grpc_listen_port": grpcPort, "log_level": "warn",
		},
		"common": map[string]any{
			"instance_addr": host, "path_prefix": data, "replication_factor": 1, "ring": ring,
			"storage": map[string]any{"filesystem": map[string]any{
				"chunks_directory": data + "/chunks", "rules_directory": data + "/rules",
			}},
		},
		"schema_config": map[string]any{"configs": []any{map[string]any{
			"from": "2020-10-24", "store": "tsdb", "object_store": "filesystem", "schema": "v13",
			"index": map[string]any{"prefix": "index_", "period": "24h"},
		}}},
		"ingester": map[string]any{"lifecycler": map[string]any{
			"min_ready_duration": "0s", "join_after": "0s", "final_sleep": "0s",
		}},
		"limits_config": map[string]any{
			"reject_old_samples": false, "ingestion_rate_mb": 64, "ingestion_burst_size_mb": 64,
			"volume_enabled": false, "discover_service_name": []string{},
		},
		// The querier asks the frontend at a known address: a scheduler would be
		// looked up in a ring, and be found after ten seconds.
		"frontend_worker": map[string]any{"frontend_address": b.lokiGRPC, "dns_lookup_duration": "200ms"},
		"ruler":           map[string]any{"enable_api": false},
	}
}
