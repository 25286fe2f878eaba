package hub

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// The mails. What is asked for by somebody who has not shown yet who they are goes to the address alone and says
// nothing that its owner does not know. Names come from users: every one passes tame, and none of them can start a
// line. Links are ours, and whoever gets one is told how long it works.

// confirmSignUp asks a newcomer to show that the address is theirs.
func confirmSignUp(to, company, link string) Mail {
	return newMail(MailConfirmSignUp, to, "Confirm your e-mail address",
		"Welcome to Sidecard! Somebody, hopefully you, wants to set it up for "+tame(company, companyInMail)+" with this e-mail address. "+
			"Confirm the address and your account is made.",
		action("Confirm your address", link),
		lasts(MailLinkTTL)+" If it has ended, sign up again and a new one comes.",
		"If it was not you, do nothing: without this link no account is made.",
	)
}

// alreadySignedUp is sent in place of confirmSignUp to an address that has an account.
func alreadySignedUp(to, signIn, reset string) Mail {
	return newMail(MailAlreadySignedUp, to, "You already have a Sidecard account",
		"Somebody, hopefully you, tried to sign up for Sidecard with this e-mail address. It has an account already, so there is nothing to set up.",
		action("Sign in", signIn),
		action("If you have forgotten the password, choose a new one", reset),
		"If it was not you, do nothing: nothing has been changed, and nobody was told that you have an account.",
	)
}

// resetPassword lets somebody choose a new password.
func resetPassword(to, link string) Mail {
	return newMail(MailResetPassword, to, "Choose a new password",
		"Somebody, hopefully you, has asked for a new password for the Sidecard account with this e-mail address.",
		action("Choose a new password", link),
		lasts(MailLinkTTL)+" It works once.",
		"If it was not you, do nothing: your password stays as it is.",
	)
}

// changeEmail goes to the new address.
func changeEmail(to, link string) Mail {
	return newMail(MailChangeEmail, to, "Confirm your new e-mail address",
		"This address is to become the one that you sign in to Sidecard with.",
		action("Confirm the new address", link),
		lasts(MailLinkTTL)+" Until then you sign in with the old address.",
		"If this is not about an account of yours, do nothing: nothing will be changed.",
	)
}

// emailChanged goes to the old address.
func emailChanged(to string) Mail {
	return newMail(MailEmailChanged, to, "Your e-mail address was changed",
		"The e-mail address of your Sidecard account was changed. From now on you sign in with the new address, and no longer with this one.",
		"If it was not you, somebody has your password. Please tell an administrator of your company's Sidecard at once, so that they can take that account out.",
	)
}

// invited asks somebody to join a company. Role is one of ours.
func invited(to, inviter, company string, role Role, link string) Mail {
	inviter, company = tame(inviter, personInMail), tame(company, companyInMail)
	return newMail(MailInvitation, to, inviter+" invites you to "+company+" on Sidecard",
		inviter+" invites you to "+company+" on Sidecard, as "+article(string(role))+". Sidecard shows support agents whom they are talking to when a chat begins.",
		action("Look at the invitation", link),
		lasts(InvitationTTL)+" It is meant for this e-mail address only.",
		"If you do not know "+inviter+" or "+company+", do nothing: nothing happens without you.",
	)
}

// passwordChanged tells when and from where: an IP address as text, empty when it is not known.
func passwordChanged(to string, at time.Time, ip string) Mail {
	from := "an unknown network address"
	if a, err := netip.ParseAddr(ip); err == nil {
		from = "the network address " + a.String()
	}
	return newMail(MailPasswordChanged, to, "Your password was changed",
		"The password of your Sidecard account was changed on "+moment(at)+", from "+from+".",
		"If it was you, all is well. If not, choose a new password now with \"Forgot password?\" on the sign-in page, and turn on the second factor: then a password alone opens nothing.",
	)
}

// sessionStolen says that a refresh token came twice.
func sessionStolen(to string) Mail {
	return newMail(MailSessionStolen, to, "We have signed you out to be safe",
		"A browser that was signed in to your Sidecard account showed a proof of sign-in that had been used before. This happens when somebody has copied it, and rarely by an accident of the network. We cannot tell which it was, so we have ended that sign-in everywhere.",
		"Please sign in again. If anything else looks strange, change your password and end your other sign-ins on the page \"Your account\".",
	)
}

// totpOn says that the second factor is on.
func totpOn(to string) Mail {
	return newMail(MailTOTPOn, to, "Second factor turned on",
		"Signing in to your Sidecard account now needs a code from your authenticator app as well. Well done: a stolen password alone opens nothing any more.",
		"Keep your recovery codes somewhere safe; each of them lets you in once without the app.",
		"If it was not you, please tell an administrator of your company's Sidecard at once.",
	)
}

// totpOff says that the second factor is off.
func totpOff(to string) Mail {
	return newMail(MailTOTPOff, to, "Second factor turned off",
		"Signing in to your Sidecard account needs the password alone again; codes from your authenticator app and recovery codes are not asked for any more.",
		"If it was not you, change your password now and turn the second factor on again, on the page \"Your account\".",
	)
}

// recoveryCodeUsed says how many are left.
func recoveryCodeUsed(to string, left int) Mail {
	rest := "You have " + strconv.Itoa(left) + " recovery codes left."
	switch left {
	case 0:
		rest = "It was the last one. Set up the second factor anew on the page \"Your account\" to get new ones."
	case 1:
		rest = "You have one recovery code left. Set up the second factor anew on the page \"Your account\" to get new ones."
	}
	return newMail(MailRecoveryCodeUsed, to, "A recovery code was used",
		"Somebody, hopefully you, has used a recovery code of your Sidecard account in place of a code from your app. "+rest,
		"If it was not you, change your password now and set up the second factor anew: that makes the old codes worthless.",
	)
}

// apiTokenCreated names the token, never shows it.
func apiTokenCreated(to, name string) Mail {
	return newMail(MailAPITokenCreated, to, "An API token was created",
		"With your Sidecard account an API token was created, by the name of "+tame(name, companyInMail)+". Programs can use it until it ends or is taken back.",
		"If it was not you, take it back in the settings under API tokens, and change your password.",
	)
}

// tenantDeleteScheduled says until when a deletion can be called off.
func tenantDeleteScheduled(to, company string, at time.Time, cancel string) Mail {
	company = tame(company, companyInMail)
	return newMail(MailTenantDeleteScheduled, to, company+" will be deleted from Sidecard",
		company+" will be deleted from Sidecard on "+moment(at)+", with all its connections, cards and chats. An owner asked for it. After that moment nothing can be brought back.",
		action("Until then an owner can call it off", cancel),
	)
}

// tenantDeleteCancelled says that everything stays.
func tenantDeleteCancelled(to, company string) Mail {
	company = tame(company, companyInMail)
	return newMail(MailTenantDeleteCancelled, to, company+" stays on Sidecard",
		"The deletion of "+company+" was called off. Everything is as it was.",
	)
}

// tenantExported tells an owner that somebody took everything out.
func tenantExported(to, person, company string) Mail {
	person, company = tame(person, personInMail), tame(company, companyInMail)
	return newMail(MailTenantExported, to, "The data of "+company+" was exported",
		person+" has just exported the data of "+company+" from Sidecard: its settings without secrets, members, cards, lists, and chats with the addresses of visitors.",
		"If nobody in your company meant to do this, change your passwords now and look at the audit log.",
	)
}

// newMail makes a mail of paragraphs.
func newMail(kind, to, subject string, paragraphs ...string) Mail {
	text := "Hello,\n\n" + strings.Join(paragraphs, "\n\n") + "\n\nYour Sidecard\n"
	return Mail{ID: NewID(), Kind: kind, To: to, Subject: subject, Text: text}
}

// action is the paragraph of a link: what it does, and alone on its line the link.
func action(does, link string) string { return does + ":\n" + link }

func lasts(d time.Duration) string {
	if d < time.Hour {
		return fmt.Sprintf("The link works for %d minutes.", d/time.Minute)
	}
	return fmt.Sprintf("The link works for %d days.", d/(24*time.Hour))
}

func moment(at time.Time) string { return at.UTC().Format("2 January 2006 at 15:04") + " UTC" }

func article(noun string) string {
	if noun != "" && strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

// How many characters of what users wrote a mail quotes.
const (
	companyInMail = 80
	personInMail  = 60
)

// tame makes a text of a user's fit for a mail: one line of so many characters, with nothing invisible in it and
// nothing that mail programs turn into a link.
func tame(text string, limit int) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(text, " ") {
		switch {
		case unicode.Is(unicode.Cf, r): // invisible: joins, turns the direction round
		case strings.ContainsRune(`/\<>`, r) || !unicode.IsPrint(r):
			b.WriteRune(' ')
		case r == '@':
			b.WriteString(" at ")
		case strings.ContainsRune(".。．｡", r): // what domain names are written with
			b.WriteString(string(r) + " ")
		default:
			b.WriteRune(r)
		}
	}
	line := []rune(strings.Join(strings.Fields(b.String()), " "))
	if len(line) > limit {
		line = append(line[:limit-1], '…')
	}
	if len(line) == 0 {
		return "(no name)"
	}
	return string(line)
}
