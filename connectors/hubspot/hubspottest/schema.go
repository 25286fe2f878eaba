package hubspottest

func text(name, label string) Property {
	return Property{Name: name, Label: label, Type: "string", FieldType: "text", GroupName: "contactinformation", Options: []Option{}}
}

func typed(name, label, kind, fieldType string) Property {
	p := text(name, label)
	p.Type, p.FieldType, p.HubSpotDefined = kind, fieldType, true
	return p
}

func hidden(p Property) Property {
	p.Hidden = true
	return p
}

func enumeration(name, label, fieldType string, options ...Option) Property {
	p := typed(name, label, "enumeration", fieldType)
	p.Options = options
	return p
}

func ofOwner(name, label string) Property {
	p := typed(name, label, "enumeration", "select")
	p.ExternalOptions, p.ReferencedObjectType = true, "OWNER"
	return p
}

// defaultSchemas are properties that every account has, few of several hundred [doc] [obs].
func defaultSchemas() map[string][]Property {
	common := []Property{
		typed("createdate", "Create Date", "datetime", "date"), typed("hs_object_id", "Record ID", "number", "number"),
		typed("hs_lastmodifieddate", "Last Modified Date", "datetime", "date"), ofOwner("hubspot_owner_id", "Owner"),
	}
	unique := typed("email", "Email", "string", "text")
	unique.HasUniqueValue = true
	return map[string][]Property{
		Contacts: append([]Property{
			unique, typed("hs_additional_emails", "Additional email addresses", "enumeration", "checkbox"),
			typed("firstname", "First Name", "string", "text"), typed("lastname", "Last Name", "string", "text"),
			typed("phone", "Phone Number", "string", "phonenumber"), typed("company", "Company Name", "string", "text"),
			typed("jobtitle", "Job Title", "string", "text"), typed("lastmodifieddate", "Last Modified Date", "datetime", "date"),
			typed("associatedcompanyid", "Primary Associated Company ID", "number", "number"),
			typed("total_revenue", "Total Revenue", "number", "number"), typed("date_of_birth", "Date of birth", "date", "date"),
			enumeration("lifecyclestage", "Lifecycle Stage", "radio",
				Option{Label: "Subscriber", Value: "subscriber"}, Option{Label: "Lead", Value: "lead"},
				Option{Label: "Customer", Value: "customer"}, Option{Label: "Evangelist", Value: "evangelist"}, Option{Label: "Gold circle", Value: "1098427"}),
			hidden(typed("hs_all_contact_vids", "Merged record IDs", "enumeration", "checkbox")),
		}, common...),
		Companies: append([]Property{
			typed("name", "Company name", "string", "text"), typed("domain", "Company Domain Name", "string", "text"),
			typed("numberofemployees", "Number of Employees", "number", "number"), typed("city", "City", "string", "text"),
		}, common...),
		Deals: append([]Property{
			typed("dealname", "Deal Name", "string", "text"), typed("amount", "Amount", "number", "number"),
			typed("amount_in_home_currency", "Amount in company currency", "number", "calculation_equation"),
			typed("deal_currency_code", "Currency", "enumeration", "select"), typed("closedate", "Close Date", "datetime", "date"),
			typed("dealstage", "Deal Stage", "enumeration", "radio"), typed("pipeline", "Pipeline", "enumeration", "select"),
			enumeration("hs_is_closed", "Is Deal Closed?", "booleancheckbox", Option{Label: "True", Value: "true"}, Option{Label: "False", Value: "false"}),
		}, common...),
		Tickets: append([]Property{
			typed("subject", "Ticket name", "string", "text"), typed("content", "Ticket description", "string", "textarea"),
			typed("hs_pipeline", "Pipeline", "enumeration", "select"), typed("hs_pipeline_stage", "Ticket status", "enumeration", "select"),
			typed("closed_date", "Close date", "datetime", "date"),
			enumeration("hs_ticket_priority", "Priority", "select", Option{Label: "Low", Value: "LOW"}, Option{Label: "High", Value: "HIGH"}),
		}, common...),
	}
}
