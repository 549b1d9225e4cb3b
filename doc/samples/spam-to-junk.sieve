# What the gateway has tagged as spam goes to Junk: for a mailbox server that understands Sieve (RFC 5228), as Dovecot does.
# For everybody, ahead of their own scripts, in Dovecot's configuration:
#
#   plugin {
#     sieve_before = /etc/dovecot/sieve/spam-to-junk.sieve
#   }
#   protocol lmtp {
#     mail_plugins = $mail_plugins sieve
#   }
#
# The gateway takes such fields off mail from outside before it adds its own; trust them only where all mail comes through it.
require ["fileinto", "mailbox"];

if header :is "X-Spam" "yes" {
  fileinto :create "Junk";
  stop;
}
