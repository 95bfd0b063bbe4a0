#include "console/web/identity.h"

#include "vault/base/file.h"

namespace holdfast::console {
namespace {

constexpr std::uint64_t pem_bytes_max = 16'384;

}  // namespace

Result<replicator::TlsIdentity> need_identity(const std::string& state_folder) {
    const std::string key_path = state_folder + "/console.key";
    const std::string certificate_path = state_folder + "/console.crt";
    if (path_exists(key_path) && path_exists(certificate_path)) {
        Buffer key = HF_TRY(read_file(key_path, pem_bytes_max));
        const Buffer certificate = HF_TRY(read_file(certificate_path, pem_bytes_max));
        auto identity = replicator::TlsIdentity::from_pem(key, certificate);
        std::fill(key.begin(), key.end(), std::uint8_t{0});
        if (identity) return identity;
        return Error{Errc::Corrupt, key_path + ": " + identity.error().message +
                                        "; delete console.key and console.crt for a new "
                                        "certificate, and compare its fingerprint again"};
    }
    HF_TRY(make_folders(state_folder));
    auto identity = HF_TRY(replicator::TlsIdentity::make("Holdfast console"));
    HF_TRY(write_file_durably(key_path, identity.key_pem(), 0600));
    HF_TRY(write_file_durably(certificate_path, identity.certificate_pem(), 0644));
    return identity;
}

}  // namespace holdfast::console
