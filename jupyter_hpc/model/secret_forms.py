"""Tokens and keys that are known by their own form, as the services that give them out describe it.

Each begins with letters that nothing else has, or is as long and as made up as nothing that people write.
"""

from __future__ import annotations

import re

_FORMS = (
    # code and packages: GitHub, GitLab, Atlassian, PyPI, npm, crates, RubyGems, NuGet, Docker, Artifactory
    r"gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}",
    r"gl(?:pat|dt|rt|ptt|cbt|soat|ft|imt|agent|ffct|oas)-[A-Za-z0-9_\-.=]{16,}|GR1348941[A-Za-z0-9_\-]{20}",
    r"AT(?:ATT3|CTT3|BB)[A-Za-z0-9_\-=]{24,}",
    r"pypi-[A-Za-z0-9_\-]{20,}|npm_[A-Za-z0-9]{20,}|cio[A-Za-z0-9]{32}\b|rubygems_[0-9a-f]{48}|oy2[a-z0-9]{43}\b",
    r"dckr_[op]at_[A-Za-z0-9_\-]{16,}|AKCp[A-Za-z0-9]{60,}|cmVmdGtu[A-Za-z0-9]{50,}",
    # clouds: AWS, Google, Azure, DigitalOcean, Heroku, Cloudflare, Fly, Netlify, Supabase, PlanetScale
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}|ABSK[A-Za-z0-9+/]{100,}={0,2}",
    r"AIza[A-Za-z0-9_\-]{30,}|ya29\.[A-Za-z0-9_\-.]{20,}|GOCSPX-[A-Za-z0-9_\-]{20,}|1//0[A-Za-z0-9_\-]{40,}",
    r"[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.\-]{31,34}",
    r"do[opr]_v1_[0-9a-f]{64}|HRKU-[A-Za-z0-9_\-]{30,}|v1\.0-[0-9a-f]{24}-[0-9a-f]{100,}",
    r"fm2_[A-Za-z0-9+/=_\-]{60,}|fo1_[\w\-]{40,}|nfp_[A-Za-z0-9]{36,}|sb[ps]_[0-9a-f]{40}|sb_secret_[\w\-]{20,}",
    r"pscale_(?:tkn|pw|oauth)_[\w\-.]{30,}",
    # models and data: OpenAI, Anthropic, Hugging Face, NVIDIA, Replicate, Groq, xAI, Perplexity, W&B, Databricks …
    r"sk-[A-Za-z0-9_\-]{20,}|xai-[A-Za-z0-9]{60,}|pplx-[A-Za-z0-9]{32,}|tvly-[A-Za-z0-9\-]{24,}",
    r"hf_[A-Za-z0-9]{20,}|api_org_[A-Za-z0-9]{30,}|nvapi-[A-Za-z0-9_\-]{20,}|r8_[A-Za-z0-9]{20,}|gsk_[A-Za-z0-9]{20,}",
    r"wandb_v1_[A-Za-z0-9_]{20,}|lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}|pcsk_[A-Za-z0-9_]{40,}|rpa_[A-Z0-9]{40,}",
    r"dapi[0-9a-f]{32}(?:-\d)?|KGAT_[0-9a-f]{32}",
    # messages and mail: Slack, Discord, Telegram, Teams, SendGrid, Mailgun, Mailchimp, Twilio
    r"xox[abeoprs]-[A-Za-z0-9\-]{10,}|xapp-[A-Za-z0-9\-]{10,}|https://hooks\.slack\.com/[a-z]+/[^\s\"']+",
    r"https://(?:\w+\.)?discord(?:app)?\.com/api/webhooks/\d+/[\w\-]+|[MNO][\w\-]{23,25}\.[\w\-]{6}\.[\w\-]{27,38}",
    r"\d{8,10}:AA[A-Za-z0-9_\-]{33}|https://[\w\-]+\.webhook\.office\.com/webhookb2/[^\s\"']+",
    r"SG\.[\w\-]{16,}\.[\w\-]{16,}|key-[0-9a-f]{32}|[0-9a-f]{32}-us\d{1,2}\b|SK[0-9a-f]{32}\b",
    # money and shops: Stripe, Square, Shopify
    r"(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9]{16,}|sq0(?:atp|csp)-[\w\-]{22,}",
    r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",
    # work: Notion, Linear, Airtable, Figma, Postman, Dropbox, Asana's neighbours
    r"ntn_[A-Za-z0-9]{40,}|lin_api_[A-Za-z0-9]{40}|pat[A-Za-z0-9]{14}\.[0-9a-f]{64}|figd_[\w\-]{40,}",
    r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}|sl\.(?:u\.)?[A-Za-z0-9_\-]{100,}",
    # running things: Grafana, New Relic, Sentry, Dynatrace, Doppler, Pulumi, Terraform, Vault, Tailscale …
    r"gl(?:c|sa)_[A-Za-z0-9+/=_]{32,}|NR(?:AK|JS|II)-[A-Za-z0-9\-_]{20,}|sntry[su]_[A-Za-z0-9+/=_]{40,}",
    r"dt0[a-z]\d{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}|dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9._]{40,}",
    r"pul-[0-9a-f]{40}|[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_\-=]{60,}|hv[sbr]\.[A-Za-z0-9_\-]{20,}",
    r"tskey-[a-z]+-[A-Za-z0-9]+-[A-Za-z0-9]+|ops_eyJ[A-Za-z0-9+/=]{100,}|AGE-SECRET-KEY-1[A-Z0-9]{20,}",
    # of no service: JSON web tokens, private keys, hashes of passwords
    r"eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*",
    r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\Z)",
    r"PuTTY-User-Key-File-\d:.*?(?:Private-MAC: [0-9a-f]+|\Z)",
    r"\$(?:2[abxy]\$\d{2}\$[./A-Za-z0-9]{53}|[156y]\$[./A-Za-z0-9$=,]{4,60}\$[./A-Za-z0-9]{22,86})",
)
KNOWN = re.compile(r"(?<![A-Za-z0-9])(?:" + "|".join(_FORMS) + ")", re.DOTALL)
