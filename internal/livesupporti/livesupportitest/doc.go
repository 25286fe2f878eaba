// Package livesupportitest plays LiveSupporti: the service that announces chats
// and takes the details, and the agent's screen on which they appear.
//
// It creates WebHooks by the echo handshake, sends notifications and repeats
// them as Microsoft's ASP.NET WebHooks sender does, checks credentials and the
// details body strictly, and misbehaves on command. Tests and benchmarks use a
// Server inside their own process; other programs and the web page that it
// serves use its control API under /sim, for which Control is the client.
//
// It is for loopback and demonstrations. It keeps credentials and secrets in
// the clear, shows them on its page, asks nobody who they are, and does not
// belong on a network that others can reach.
//
// The paths of the real service are /api/agents and
// /api/visitors/{id}/details. The page is at /.
package livesupportitest
