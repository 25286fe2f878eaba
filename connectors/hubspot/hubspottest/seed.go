package hubspottest

import "strconv"

// Seed fills the emulator with the customers of a bicycle shop. The emails become contacts, the first with all that a
// contact can have.
func (s *Server) Seed(emails ...string) {
	s.AddOwner(Owner{ID: "71", Email: "ines@brightwater-bikes.example", FirstName: "Inês", LastName: "Carvalho"})
	s.AddPipeline(Deals, Pipeline{ID: "default", Label: "Sales", Stages: []Stage{
		{ID: "appointmentscheduled", Label: "Test ride", Metadata: map[string]string{"isClosed": "false", "probability": "0.2"}},
		{ID: "contractsent", Label: "Offer sent", Metadata: map[string]string{"isClosed": "false", "probability": "0.9"}},
		{ID: "closedwon", Label: "Sold", Metadata: map[string]string{"isClosed": "true", "probability": "1.0"}},
	}})
	s.AddPipeline(Tickets, Pipeline{ID: "0", Label: "Workshop", Stages: []Stage{
		{ID: "1", Label: "Waiting for parts", Metadata: map[string]string{"ticketState": "OPEN"}},
		{ID: "4", Label: "Closed", Metadata: map[string]string{"ticketState": "CLOSED"}},
	}})
	shop := s.Add(Companies, Record{Properties: map[string]string{"name": "Harbour Couriers", "domain": "harbour-couriers.example", "numberofemployees": "38"}})
	names := [][2]string{{"Maya", "Lindqvist"}, {"Tomás", "Oliveira"}, {"Ruth", "Abara"}, {"Jonas", "Weber"}}
	for i, email := range emails {
		name := names[i%len(names)]
		id := s.Add(Contacts, Record{Properties: map[string]string{
			"email": email, "firstname": name[0], "lastname": name[1], "lifecyclestage": "customer", "hubspot_owner_id": "71",
			"jobtitle": "Fleet manager", "phone": "+351 21 555 01 0" + strconv.Itoa(i), "total_revenue": strconv.Itoa(1200*(i+1)) + ".50",
		}})
		if i > 0 {
			continue
		}
		s.Associate(id, Companies, shop, true)
		s.Associate(id, Deals, s.Add(Deals, Record{Properties: map[string]string{
			"dealname": "Twelve cargo bikes", "amount": "46800", "amount_in_home_currency": "46800", "dealstage": "contractsent", "pipeline": "default", "hs_is_closed": "false",
		}}), false)
		s.Associate(id, Tickets, s.Add(Tickets, Record{Properties: map[string]string{
			"subject": "Brakes squeal after service", "hs_pipeline": "0", "hs_pipeline_stage": "1", "hs_ticket_priority": "HIGH",
		}}), false)
	}
}
