package observer

// DefaultPlatform returns the roles as which a Supabase project's own parts connect. The role postgres is not among
// them: it is the one that people and applications use. Nor are anon, authenticated and service_role, as which nobody
// connects: the REST interface connects as authenticator and becomes them.
func DefaultPlatform() []string {
	return []string{
		"authenticator",              // REST interface
		"pgbouncer",                  // the dedicated pooler's look-ups
		"supabase_admin",             // management, monitoring, realtime
		"supabase_auth_admin",        // auth
		"supabase_etl_admin",         // replication to other stores
		"supabase_functions_admin",   // database webhooks
		"supabase_read_only_user",    // the dashboard's read-only queries
		"supabase_realtime_admin",    // realtime
		"supabase_replication_admin", // read replicas
		"supabase_storage_admin",     // storage
	}
}
