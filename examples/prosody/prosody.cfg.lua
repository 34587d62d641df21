-- SPDX-License-Identifier: GPL-2.0-only
-- One domain, nothing with other servers, and no connection without TLS.
modules_enabled = { "roster", "saslauth", "tls", "disco", "ping", "offline" }
modules_disabled = { "s2s" }
data_path = "/var/lib/prosody"
log = { info = "*console" }
authentication = "internal_hashed"
c2s_require_encryption = true
VirtualHost "chat.example"
    ssl = { certificate = "/etc/prosody/chat.crt", key = "/run/secrets/chat.key" }
