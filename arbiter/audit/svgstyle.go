package audit

// pictureStyle colours the picture for light and dark. Its names begin with cc, so
// that it can stand in a page beside others.
const pictureStyle = `.cc{--ground:#fff;--text:#182030;--soft:#5a6577;--line:#e1e5eb;--limit:#b42332;--accent:#2a59c7;--warn:#8f5300;` +
	`--s0:#3b6fd8;--s1:#0f8077;--s2:#e0922f;--s3:#8659d0;--s4:#c8477a;--s5:#6aa544;--s6:#3aa5d1;--s7:#c4562b;--s8:#5c67ab;--s9:#b5a535;` +
	`font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}` +
	`@media (prefers-color-scheme:dark){.cc{--ground:#161b22;--text:#e7ebf1;--soft:#9aa5b5;--line:#272f3a;--limit:#ff8b94;--accent:#86aaff;--warn:#f0b85a;` +
	`--s0:#6f9bf5;--s1:#3fbfb1;--s2:#eeaa55;--s3:#ac87ef;--s4:#ec7ea4;--s5:#86c263;--s6:#5cbfe6;--s7:#ee8a60;--s8:#8f9ae0;--s9:#c9bb4e}}` +
	`.cc text{fill:var(--text)}.cc .soft{fill:var(--soft)}.cc .title{font-size:17px;font-weight:600}.cc .grid{stroke:var(--line)}` +
	`.cc .ground{fill:var(--ground)}.cc .limit{fill:none;stroke:var(--limit);stroke-width:2}` +
	`.cc .available{fill:none;stroke:var(--text);stroke-width:1.5;stroke-dasharray:5 4}.cc .area{stroke:var(--ground);stroke-width:.6}` +
	`.cc .incarnation,.cc .barrier,.cc .expired{fill:var(--limit);stroke:var(--limit)}.cc .leader,.cc .open{fill:var(--accent);stroke:var(--accent)}` +
	`.cc .policy{fill:var(--soft);stroke:var(--soft)}.cc .local,.cc .drift{fill:var(--warn);stroke:var(--warn)}` +
	`.cc .rule{stroke-dasharray:2 4;opacity:.75}`

// laneNames are how the kinds of incidents are called beside their lanes.
var laneNames = map[IncidentKind]string{
	NewIncarnation: "incarnation", BarrierUp: "barrier", BarrierDown: "barrier open", NewLeader: "leader", NewPolicy: "policy",
	LeaseExpired: "expired", LocalMode: "local mode", Drift: "drift",
}
