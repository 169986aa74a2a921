"""What looks like a secret goes from code, and code that has none stays as it is."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_hpc.model.redaction import MARK, code_redacted

SECRET = "tr0ub4dor-and-3"
RANDOM = "9f8a7b6c5d4e3f2a1b0c"

CODE = [  # what a cell assigns, in each way that code has
    "password = '{}'",
    'password="{}"',
    "DB_PASSWORD = '{}'",
    "db.password = '{}'",
    "self._pwd: str = '{}'",
    "config['password'] = '{}'",
    'os.environ["DB_PASSWORD"] = "{}"',
    "connect(host='h', password='{}', port=5)",
    'connect(user, passwd = "{}")',
    "{{'user': 'me', 'password': '{}', 'port': 5}}",
    '{{"auth": {{"client_secret": "{}"}}}}',
    "if (secret := '{}'): pass",
    "my_secret = b'{}'",
    "passphrase = r'''{}'''",
    'password = (\n    "{}"\n)',
    'password = "x" \\\n    "{}"',
    "password = ('x'\n  '{}')",
    "user, password = 'me', '{}'",
    "secret = f'{}'",
    "if password == '{}': go()",
    "os.environ.setdefault('API_KEY', '{}')",
    "monkeypatch.setenv('SERVICE_TOKEN', \"{}\")",
    "setattr(client, 'api_key', '{}')",
    "SECRETKEY = '{}'",
    "db_pass = '{}'",
    "dbPassword = '{}'",
    "pw = '{}'",
    "token = '{}'",
    "access_token='{}'",
    "headers = {{'X-Auth-Token': '{}'}}",
    "def connect(password='{}'): ...",
    "lambda pwd='{}': pwd",
    "%env DB_PASSWORD={}",
    "%env DB_PASSWORD {}",
    "%set_env SERVICE_TOKEN={}",
    "!export SERVICE_TOKEN={}",
    "!mysql --password={} -u me",
    "!tool --api-key {} run",
    "requests.get('https://example.org/x?api_key={}&y=1')",
    "+password = '{}'",
    "-    'password': '{}',",
    "+DB_PASSWORD={}",
    "+password: {}",
    '+  "password": "{}",',
    "+    api_key: {}  # ours",
    '+DATABASE_PASSWORD: "{}"',
    "+<password>{}</password>",
]


@pytest.mark.parametrize("code", CODE)
@pytest.mark.parametrize("before", ["", "import os\nx = 1\n"])
def test_a_value_with_the_name_of_a_secret_goes(code: str, before: str) -> None:
    text = before + code.format(SECRET) + "\ny = 'stays'\n"
    found = code_redacted(text)
    assert SECRET not in found and MARK in found, found
    assert found.startswith(before) and found.endswith("\ny = 'stays'\n")
    assert code_redacted(found) == found


@pytest.mark.parametrize(
    "code",
    ["key = '{}'", "MY_KEY = '{}'", "hmac.new(key=b'{}')", "{{'key': '{}'}}", "fernet_key='{}'", "+signing.key: '{}'"],
)
def test_a_key_goes_that_is_made_up_by_no_person(code: str) -> None:
    assert RANDOM not in code_redacted(code.format(RANDOM))


PLAIN = [
    "sorted(x, key=lambda x: x)",
    'sort_key = "name"',
    "token_ids = [1, 2]",
    "keys = d.keys()",
    "key = 'experiment_2026_results'",
    "for key, value in d.items(): print(key, value)",
    "df.merge(other, key='customer_id')",
    "d = {'key': 'name', 'primary_key': 'row_id'}",
    "password = getpass.getpass('Password: ')",
    "token = os.environ['HF_TOKEN']",
    'token = os.environ["HF_TOKEN"]\nprint("hello")',
    "password = None",
    "password = ''",
    "api_key = settings.api_key",
    "tokenizer.pad_token = '[PAD]'",
    "tokenizer.pad_token = tokenizer.eos_token",
    "special_tokens = {'eos_token': '<|endoftext|>', 'unk_token': '<unk>'}",
    "tokens = 'the quick brown fox'.split()",
    "token = 'transformer'",
    "next_token = ' '",
    "n_tokens = 4096\nmax_tokens: int = 512",
    "def login(user: str, password: str, token: Optional[str] = None) -> bool: ...",
    "class Settings:\n    password: SecretStr\n    api_key: str\n    token: str | None = None\n",
    "headers = {'Authorization': f'Bearer {token}'}",
    "url = f'https://example.org/?token={token}'",
    "if token == 'the': count += 1",
    "columns = df[['token', 'lemma', 'pos']]",
    "st.text_input('password', 'Enter it here')",
    "parser.add_argument('--token', default=None, help='a token')",
    "random.seed(secret_number)",
    "plt.legend(title='key')",
    "jax.random.PRNGKey(0)\nkey, subkey = jax.random.split(key)",
    "keyboard = 'qwerty'\nmonkey = 'banana'\nkeyword = 'search'",
    "secrets.token_hex(16)",
    "from secrets import token_urlsafe",
    "author = 'Ann'; authors = ['Ann', 'Bob']",
    "assert tokens[0] == 'hello'",
    "tokenizer = AutoTokenizer.from_pretrained('bert-base-uncased')",
    "compass = 'north'; bypass = 'road'; passed = 'yes'",
    "x = {'a': 1}\nprint(x['key'])",
    "cache_key = f'{name}-{step}'",
    "first_pass = 'encode'",
    "password_file = '/run/secrets/db'",
    "secret_name = 'my-secret-2'",
    "token_url = 'https://example.org/oauth2/token'",
    "auth_method = 'oauth2-pkce'",
    "@@ -1,3 +1,4 @@\n def tokens(text):\n+    return text.split()\n",
    "ssh_host_keys = '/etc/ssh'",
    "digest = 'b3:8fc59621ec2bd5af74b8f240b8271d10c232ece3bfdeb092b30dd6400dfb900b'",
]


@pytest.mark.parametrize("code", PLAIN)
def test_code_without_a_secret_stays_as_it_is(code: str) -> None:
    assert code_redacted(code) == code


@pytest.mark.parametrize("code", [c for c in CODE if c[0] not in "+-%!"])
def test_redacted_code_is_still_code(code: str) -> None:
    ast.parse(code_redacted(code.format(SECRET)))


FORMS = [  # put together, so that no scanner takes this file for a leak
    "glsoat-" + "a1B2" * 5,
    "ATATT3" + "xY9_" * 10,
    "do" + "p_v1_" + "0af9" * 16,
    "shp" + "at_" + "0af9" * 8,
    "figd_" + "aB3-" * 10,
    "https://discord.com/api/web" + "hooks/123456789/" + "aB3-" * 8,
    "12345678" + "9:AA" + "aB3" * 11,
    "lsv2_" + "pt_" + "0af9" * 8 + "_0123456789",
    "NR" + "AK-" + "ABC1" * 7,
    "dp.st." + "aB3d" * 11,
    "rubygems" + "_" + "0af9" * 12,
    "tskey-" + "auth-kA1b2-" + "aB3d" * 6,
    "-----BEGIN PGP PRIVATE KEY " + "BLOCK-----\nabc\n-----END PGP PRIVATE KEY BLOCK-----",
    "PuTTY-User-Key-" + "File-3: ssh-rsa\nPrivate-Lines: 1\nabc\nPrivate-MAC: 0af9",
    "$6$" + "salt1234$" + "aB3." * 21 + "ab",
    "$2b$12$" + "aB3." * 13 + "a",
    "sb_sec" + "ret_" + "aB3d" * 6,
    "abc8Q~" + "aB3d" * 8 + "ab",
]


@pytest.mark.parametrize("form", FORMS)
def test_more_forms_are_known_whatever_their_name(form: str) -> None:
    assert code_redacted(f"x = '''{form}''' + y") == f"x = '''{MARK}''' + y"


@given(st.text(alphabet="password=token'\"\\\n:,(){}[] key+-f%", max_size=300))
def test_any_text_is_redacted_to_the_same_end(text: str) -> None:
    assert code_redacted(code_redacted(text)) == code_redacted(text)


@pytest.mark.parametrize(
    "text", ["password=" * 20_000, "token_" * 50_000, "password = '" + "\\'" * 50_000, "a" * 300_000, "key," * 50_000]
)
@pytest.mark.timeout(60)
def test_long_text_is_read_once(text: str) -> None:
    code_redacted(text)
