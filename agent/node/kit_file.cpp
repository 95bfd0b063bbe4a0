#include "agent/node/kit_file.h"

#include "vault/base/file.h"

#include <algorithm>

namespace holdfast::agent {

Result<KitFiles> write_kit_files(const std::string& folder, const NewKit& made, std::int64_t now_ms,
                                 vault::Random& random) {
    KitFiles files;
    files.kit = folder + "/recovery-kit.json";
    if (path_exists(files.kit)) return Error{Errc::Conflict, files.kit + " is there already"};
    vault::PasswordCost cost;
    cost.memory_bytes = made.memory_bytes;
    const vault::Secret passphrase =
        made.passphrase ? made.passphrase->clone() : vault::make_passphrase(random);
    vault::Kit kit = HF_TRY(
        vault::make_kit(made.trust, made.name, now_ms, made.secrets, passphrase, cost, random));
    kit.partners = made.partners;
    HF_TRY(make_folders(folder));
    HF_TRY(write_file_durably(files.kit, as_view(vault::kit_text(kit)), 0600));
    if (made.passphrase) return files;
    files.passphrase = folder + "/passphrase.txt";
    vault::Secret line(passphrase.size() + 1);
    std::copy(passphrase.view().begin(), passphrase.view().end(), line.data());
    line.data()[passphrase.size()] = '\n';
    HF_TRY(write_file_durably(files.passphrase, line.view(), 0600));
    return files;
}

}  // namespace holdfast::agent
