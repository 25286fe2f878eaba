package hubspot_test

import "strings"

func field(name, label, kind, form string, options ...string) map[string]any {
	f := map[string]any{"name": name, "label": label, "type": kind, "fieldType": form, "hidden": false, "groupName": "information"}
	var all []map[string]any
	for _, o := range options {
		value, label, _ := strings.Cut(o, "=")
		all = append(all, map[string]any{"value": value, "label": label, "hidden": false})
	}
	f["options"] = all
	return f
}

func standardFields() map[string][]map[string]any {
	owner := field("hubspot_owner_id", "Contact owner", "enumeration", "select")
	owner["externalOptions"], owner["referencedObjectType"] = true, "OWNER"
	helper := field("helper", "Second owner", "enumeration", "select")
	helper["externalOptions"], helper["referencedObjectType"] = true, "OWNER"
	old := field("old", "Old", "string", "text")
	old["archived"] = true
	hidden := field("secret_score", "Secret score", "number", "number")
	hidden["hidden"] = true
	return map[string][]map[string]any{
		"contacts": {
			field("firstname", "First name", "string", "text"), field("lastname", "Last name", "string", "text"),
			field("email", "Email", "string", "text"), field("phone", "Phone", "string", "phonenumber"),
			field("company", "Company name", "string", "text"), field("jobtitle", "Job title", "string", "text"),
			field("lifecyclestage", "Lifecycle stage", "enumeration", "radio", "lead=Lead", "4711=Trial user"),
			owner, helper, old, hidden, field("createdate", "Create date", "datetime", "date"),
			field("plan", "Plan", "enumeration", "select", "pro=Professional"),
			field("topics", "Topics", "enumeration", "checkbox", "a=Apples", "b=Bees"),
			field("spent", "Spent", "number", "number"), field("vip", "VIP", "bool", "booleancheckbox"),
			field("born", "Born", "date", "date"), field("bio", "Bio", "string", "html"),
			field("hs_additional_emails", "Additional emails", "enumeration", "checkbox"),
			field("associatedcompanyid", "Primary company", "number", "number"),
		},
		"companies": {field("name", "Name", "string", "text"), field("domain", "Domain", "string", "text"), owner},
		"deals": {
			field("dealname", "Deal name", "string", "text"), field("amount", "Amount", "number", "number"),
			field("dealstage", "Deal stage", "enumeration", "radio"), field("pipeline", "Pipeline", "enumeration", "select"),
			field("createdate", "Create date", "datetime", "date"), field("deal_currency_code", "Currency", "enumeration", "select"),
			field("amount_in_home_currency", "Amount in company currency", "number", "number"),
			field("hs_is_closed", "Is closed", "bool", "booleancheckbox"),
		},
		"tickets": {
			field("subject", "Ticket name", "string", "text"), field("hs_pipeline_stage", "Ticket status", "enumeration", "select"),
			field("hs_pipeline", "Pipeline", "enumeration", "select"), field("createdate", "Create date", "datetime", "date"),
			field("closed_date", "Close date", "datetime", "date"),
		},
	}
}

func standardPipelines() map[string][]map[string]any {
	stage := func(id, label, name, value string) map[string]any {
		return map[string]any{"id": id, "label": label, "metadata": map[string]any{name: value}}
	}
	return map[string][]map[string]any{
		"deals": {{"id": "default", "label": "Sales", "stages": []any{
			stage("offer", "Offer sent", "isClosed", "false"), stage("closedwon", "Won", "isClosed", "true"),
		}}},
		"tickets": {{"id": "0", "label": "Support", "stages": []any{
			stage("1", "New", "ticketState", "OPEN"), stage("4", "Closed", "ticketState", "CLOSED"),
		}}},
	}
}
