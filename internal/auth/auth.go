// Package auth makes and checks what people and programs prove themselves with:
// passwords, access tokens, refresh tokens and other random tokens. It is the
// only place that knows JSON Web Tokens.
//
// It refuses tokens that it would not have written itself, letter by letter:
// other algorithms, types, issuers, headers, spellings. It stores nothing and
// knows no users: who may do what, sessions, revocation and rate limits are the
// product's. Revoke by a token's ID or session, never by its text.
package auth
