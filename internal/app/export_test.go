package app

// Kinds is for the test that writes the connectors' documentation.
var Kinds = kinds
