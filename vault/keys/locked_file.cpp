#include "vault/keys/locked_file.h"

#include "vault/crypto/hash.h"
#include "vault/keys/locked_json.h"
#include "vault/keys/secret_json.h"

#include <algorithm>

namespace holdfast::vault {
namespace {

// 32 signs without i, l, o and u: five bits each.
constexpr std::string_view signs = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t checked_groups = 5;
constexpr std::size_t group_size = 5;

View without_newline(const Secret& passphrase) {
    View text = passphrase.view();
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
        text = text.first(text.size() - 1);
    }
    return text;
}

std::uint8_t as_generated(std::uint8_t c) {
    if (c >= 'A' && c <= 'Z') c = static_cast<std::uint8_t>(c - 'A' + 'a');
    if (c == 'o') return '0';
    if (c == 'i' || c == 'l') return '1';
    return c == ' ' ? '-' : c;
}

std::string_view form_of(KeyUse use) {
    return use == KeyUse::Person ? "person key 1" : "custodian key 1";
}

Buffer additional_of(KeyUse use, const PublicKey& key) {
    return tagged(use == KeyUse::Person ? "person key" : "custodian key", {key.view()});
}

Result<LockedKey> lock_key(LockedKey file, const Secret& secret, const Secret& passphrase,
                           const PasswordCost& cost, Random& random) {
    if (file.name.empty() || file.name.size() > name_bytes_max) {
        return Error{Errc::Invalid, "a key file's name has 1 to 256 bytes"};
    }
    const Secret inner = secret_json({{"secret", secret.view()}});
    const Buffer additional = additional_of(file.use, file.key);
    file.lock = HF_TRY(lock_with(passphrase, cost, additional, inner.view(), random));
    return file;
}

Result<Secret> open_key(const LockedKey& file, const Secret& passphrase) {
    const Secret inner =
        HF_TRY(unlock_with(passphrase, file.lock, additional_of(file.use, file.key)));
    return secret_field(inner, "secret", 32);
}

Error not_this_key(const LockedKey& file) {
    return {Errc::Corrupt, "the key file of " + file.name + " holds another key than it names"};
}

}  // namespace

Secret make_passphrase(Random& random) {
    Secret bits(checked_groups * group_size);
    random.fill({bits.data(), bits.size()});
    Secret text(checked_groups * (group_size + 1) - 1);
    for (std::size_t i = 0, at = 0; i < bits.size(); ++i) {
        if (i != 0 && i % group_size == 0) text.data()[at++] = '-';
        text.data()[at++] = static_cast<std::uint8_t>(signs[bits.view()[i] & 31]);
    }
    return text;
}

Result<PasswordLock> lock_with(const Secret& passphrase, PasswordCost cost, View additional,
                               View plain, Random& random) {
    PasswordLock made{cost, {}, {}};
    random.fill(made.cost.salt);
    random.fill(made.nonce);
    const View typed = without_newline(passphrase);
    if (typed.empty()) return Error{Errc::Invalid, "the passphrase is empty"};
    const Secret key = HF_TRY(password_key(Secret::copy_of(typed), made.cost));
    made.sealed = vault::lock(key, made.nonce, additional, plain);
    return made;
}

Result<Secret> unlock_with(const Secret& passphrase, const PasswordLock& lock, View additional) {
    Secret typed = Secret::copy_of(without_newline(passphrase));
    const Secret key = HF_TRY(password_key(typed, lock.cost));
    Result<Secret> opened = vault::unlock(key, lock.nonce, additional, lock.sealed);
    if (opened) return opened;
    Secret tidy = typed.clone();
    std::transform(typed.view().begin(), typed.view().end(), tidy.data(), as_generated);
    if (equal_in_constant_time(tidy.view(), typed.view())) return opened;
    const Secret second = HF_TRY(password_key(tidy, lock.cost));
    return vault::unlock(second, lock.nonce, additional, lock.sealed);
}

void put_lock(Json& json, const PasswordLock& lock) {
    json["kdf"] = {{"algorithm", "argon2id13"},
                   {"operations", lock.cost.operations},
                   {"memory_bytes", lock.cost.memory_bytes},
                   {"salt", to_base64(lock.cost.salt)}};
    json["nonce"] = to_base64(lock.nonce);
    json["sealed"] = to_base64(lock.sealed);
}

PasswordLock read_lock(Fields& in) {
    PasswordLock lock;
    Fields kdf = in.object("kdf");
    if (kdf.text("algorithm") != "argon2id13") kdf.fail("algorithm", "expected argon2id13");
    lock.cost.operations = kdf.number("operations");
    lock.cost.memory_bytes = kdf.number("memory_bytes");
    kdf.bytes("salt", lock.cost.salt);
    in.bytes("nonce", lock.nonce);
    lock.sealed = in.base64("sealed", locked_bytes_max);
    return lock;
}

std::string locked_key_text(const LockedKey& file) {
    Json json = {{"holdfast", form_of(file.use)},
                 {"name", file.name},
                 {"time", file.time},
                 {"key", file.key.hex()}};
    put_lock(json, file.lock);
    return json_text(json, 2) + "\n";
}

Result<LockedKey> parse_locked_key(std::string_view text, KeyUse use) {
    if (text.size() > locked_key_bytes_max) return Error{Errc::Corrupt, "not a key file: too long"};
    JsonText json = HF_TRY(JsonText::parse(text, "key file"));
    Fields in = json.top();
    if (in.text("holdfast") != form_of(use)) {
        in.fail("holdfast", "expected \"" + std::string(form_of(use)) + "\"");
    }
    LockedKey file{use, in.text("name"), {}, 0, {}};
    file.time = in.time("time");
    file.key = in.id<PublicKey>("key");
    file.lock = read_lock(in);
    HF_TRY(json.check());
    return file;
}

Result<LockedKey> lock_person_key(const SigningKey& key, const std::string& name,
                                  std::int64_t now_ms, const Secret& passphrase,
                                  const PasswordCost& cost, Random& random) {
    return lock_key({KeyUse::Person, name, key.public_key, now_ms, {}}, key.seed, passphrase, cost,
                    random);
}

Result<LockedKey> lock_custodian_key(const BoxKey& key, const std::string& name,
                                     std::int64_t now_ms, const Secret& passphrase,
                                     const PasswordCost& cost, Random& random) {
    return lock_key({KeyUse::Custodian, name, key.public_key, now_ms, {}}, key.secret, passphrase,
                    cost, random);
}

Result<SigningKey> open_person_key(const LockedKey& file, const Secret& passphrase) {
    SigningKey key = SigningKey::from_seed(HF_TRY(open_key(file, passphrase)));
    if (file.use != KeyUse::Person || key.public_key != file.key) return not_this_key(file);
    return key;
}

Result<BoxKey> open_custodian_key(const LockedKey& file, const Secret& passphrase) {
    BoxKey key = BoxKey::from_secret(HF_TRY(open_key(file, passphrase)));
    if (file.use != KeyUse::Custodian || key.public_key != file.key) return not_this_key(file);
    return key;
}

}  // namespace holdfast::vault
