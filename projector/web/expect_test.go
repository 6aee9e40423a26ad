package web_test

import (
	"strconv"

	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/conncord/conncord/projector/status"
)

// collect gathers every value that the page shows of a status, by what it is of.
const collect = `(() => {
	const all = {};
	const take = (kind, root, names) => {
		for (const name of names) {
			const node = root.querySelector('[data-value="' + name + '"]');
			all[(kind + " " + name).trim()] = node ? node.textContent : "missing";
		}
	};
	const each = (selector, key, names) => {
		for (const node of document.querySelectorAll(selector)) take(selector.split(" ")[0] + " " + node.dataset[key], node, names);
	};
	take("", document, ["budget", "supabase_plan", "max_connections", "available", "total_allocated", "remaining", "utilization_pct", "containers", "epoch", "sequence", "rejected"]);
	take("#legend", document.getElementById("legend"), ["remaining", "external", "reserved"]);
	all.health = document.querySelector('[data-value="health"]').dataset.health;
	each("#legend [data-service]", "service", ["total_connections"]);
	each("#services [data-service]", "service", ["priority", "count", "total_connections", "pct", "in_use", "want", "waiting"]);
	each("#containers [data-container]", "container", ["connections", "in_use", "want", "waiting"]);
	each("#alerts [data-alert]", "alert", ["summary"]);
	for (const node of document.querySelectorAll("[data-container]")) {
		all["#containers " + node.dataset.container + " state"] = node.querySelector("[data-state]").dataset.state;
	}
	for (const node of document.querySelectorAll("#bar .segment")) all["#bar " + node.querySelector(".label").textContent] = node.dataset.units;
	return all;
})()`

var english = message.NewPrinter(language.English)

// expected is what the page should show of a status with one page of containers.
func expected(st *status.Status) map[string]string {
	all := map[string]string{
		"budget": st.Budget, "supabase_plan": st.Plan, "health": string(st.Health), "utilization_pct": pct(st.UtilizationPct),
		"#legend remaining": count(st.Remaining), "#legend external": count(st.External), "#legend reserved": count(st.Reserved),
		"#bar free": strconv.Itoa(st.Remaining), "#bar external to Conncord": strconv.Itoa(st.External), "#bar reserve": strconv.Itoa(st.Reserved),
		"epoch": count(int(st.Epoch)), "sequence": count(int(st.Sequence)), "rejected": count(int(st.Rejected)),
	}
	for name, n := range map[string]int{
		"max_connections": st.MaxConnections, "available": st.Available, "total_allocated": st.TotalAllocated, "remaining": st.Remaining,
	} {
		all[name] = count(n)
	}
	containers := 0
	for name, s := range st.Services {
		containers += s.Count
		if s.Count > 0 {
			all["#legend "+name+" total_connections"] = count(s.TotalConnections)
			all["#bar "+name] = strconv.Itoa(s.TotalConnections)
		}
		of := "#services " + name + " "
		all[of+"priority"], all[of+"count"], all[of+"total_connections"] = count(s.Priority), count(s.Count), count(s.TotalConnections)
		all[of+"pct"], all[of+"in_use"], all[of+"want"], all[of+"waiting"] = pct(s.Pct), count(s.InUse), count(s.Want), count(s.Waiting)
		for _, c := range s.Containers {
			of := "#containers " + c.ID + " "
			all[of+"connections"], all[of+"in_use"], all[of+"want"], all[of+"waiting"] = count(c.Connections), count(c.InUse), count(c.Want), count(c.Waiting)
			all[of+"state"] = string(c.State)
		}
	}
	all["containers"] = count(containers)
	for _, a := range st.Alerts {
		all["#alerts "+a.Name+" summary"] = a.Summary
	}
	return all
}

func count(n int) string   { return english.Sprintf("%d", n) }
func pct(p float64) string { return english.Sprintf("%.1f%%", p) }
