#include "images/demo/epr/words.h"

#include "vault/base/assert.h"

#include <iterator>

namespace holdfast::demo {
namespace {

constexpr std::string_view family[] = {
    "MURPHY",   "MCGREW",   "CARRAWAY", "DINGLE",   "BELL",     "HONEYMAN",   "MOPP",     "CRUMP",
    "WINKLE",   "SNORT",    "TIPTREE",  "FROST",    "PEEK",     "CROCKETT",   "DOPWELL",  "THROWER",
    "HAZEL",    "ANTONIO",  "PLATT",    "ROPER",    "CLAMP",    "CRAVAT",     "LOVELACE", "TROOP",
    "MUNNINGS", "ROBINSON", "WANTAGE",  "FARTHING", "BRACKETT", "HARGREAVES", "O'SHEA",   "EVANS",
    "OKAFOR",   "PATEL",    "KOWALSKA", "SINGH",    "AHMED",    "BEGUM",      "WILLIAMS", "THOMAS"};
constexpr std::string_view given[] = {
    "Peter", "Mary",   "Mickey", "Josephine", "Jonathan", "Roger", "Thomas",  "Amelia", "Una",
    "Zoë",   "Harry",  "Olwen",  "Priya",     "Amir",     "Agnes", "Bronagh", "Callum", "Denise",
    "Edith", "Farah",  "George", "Hilda",     "Ifan",     "Jean",  "Kofi",    "Lorna",  "Magda",
    "Nigel", "Oonagh", "Percy",  "Renée",     "Stanley",  "Tariq", "Siân",    "Victor", "Wyn"};
constexpr std::string_view street[] = {"Mill Lane",          "Bakery Row",      "Station Road",
                                       "The Green",          "Windmill Hill",   "Town Hall Square",
                                       "Canal Street",       "Chippy's Yard",   "Wharf Cottages",
                                       "Biscuit Works Road", "Winkstead Drive", "Fire Station Mews",
                                       "Pippin Close"};
constexpr std::string_view town[] = {"Camberwick Green", "Trumpton", "Chigley",
                                     "Winkstead",        "Wexley",   "Treddle's Wharf"};
constexpr std::string_view ward[] = {
    "Dopwell Ward",       "Emergency Department", "Medical Assessment Unit",
    "Surgical Ward ^",    "Outpatients",          "Maternity",
    "Cardiology",         "Stroke Unit",          "Day Surgery",
    "Respiratory Clinic", "Children's Ward",      "Renal Unit"};
constexpr std::string_view role[] = {"Consultant",  "Registrar",    "Foundation doctor",
                                     "Staff nurse", "Charge nurse", "Physiotherapist",
                                     "Pharmacist",  "Dietitian"};
constexpr std::string_view clinician[] = {"Dr A. Mopp",    "Dr B. Crump",    "Sr C. Dopwell",
                                          "Dr P. Hazel",   "Mr D. Clamp",    "Dr L. Okafor",
                                          "Ms R. Antonio", "Dr S. Evans",    "Dr K. Patel",
                                          "CN J. Troop",   "Dr M. Kowalska", "Mr T. Roper"};
constexpr std::string_view kind[] = {"inpatient", "outpatient", "emergency", "day case",
                                     "telephone"};
constexpr std::string_view condition[] = {"type 2 diabetes mellitus",
                                          "essential hypertension",
                                          "atrial fibrillation",
                                          "asthma",
                                          "chronic obstructive pulmonary disease",
                                          "community-acquired pneumonia",
                                          "hip fracture",
                                          "iron-deficiency anaemia",
                                          "acute kidney injury stage 2",
                                          "urinary tract infection",
                                          "ischaemic heart disease",
                                          "heart failure",
                                          "migraine",
                                          "osteoarthritis of the {b}",
                                          "cellulitis of the {b}",
                                          "gallstone disease",
                                          "diverticulitis",
                                          "hypothyroidism",
                                          "transient ischaemic attack",
                                          "deep vein thrombosis",
                                          "gout",
                                          "psoriasis",
                                          "depression",
                                          "chronic kidney disease stage 3",
                                          "fall with injury to the {b}",
                                          "syncope"};
constexpr std::string_view site[] = {"left knee",     "right knee",    "left hip",    "right hip",
                                     "lower back",    "left wrist",    "right ankle", "chest wall",
                                     "left shoulder", "right forearm", "neck",        "abdomen",
                                     "left calf",     "scalp"};
constexpr std::string_view symptom[] = {"shortness of breath on exertion",
                                        "a productive cough",
                                        "central chest pain",
                                        "swelling of the {b}",
                                        "pain in the {b}",
                                        "palpitations",
                                        "light-headedness on standing",
                                        "nausea and two episodes of vomiting",
                                        "fever and rigors",
                                        "reduced appetite",
                                        "headache with photophobia",
                                        "loose stools",
                                        "a fall at home",
                                        "increasing confusion",
                                        "poor sleep",
                                        "weight loss of ^ kg",
                                        "dysuria and frequency",
                                        "a rash over the {b}"};
constexpr std::string_view drug[] = {"amlodipine ^ mg od",
                                     "ramipril 2.^ mg od",
                                     "metformin ^00 mg bd",
                                     "atorvastatin ^0 mg nocte",
                                     "bisoprolol ^.## mg od",
                                     "apixaban ^ mg bd",
                                     "furosemide ^0 mg mane",
                                     "paracetamol 1 g qds prn",
                                     "amoxicillin ^00 mg tds for ^ days",
                                     "doxycycline 100 mg od for ^ days",
                                     "omeprazole ^0 mg od",
                                     "salbutamol inhaler ^ puffs prn",
                                     "levothyroxine ^5 micrograms od",
                                     "sertraline ^0 mg od",
                                     "codeine ^0 mg prn, maximum ^ doses",
                                     "allopurinol ^00 mg od",
                                     "ferrous fumarate 210 mg od",
                                     "enoxaparin ^0 mg sc od",
                                     "prednisolone ^0 mg od for ^ days",
                                     "co-amoxiclav 625 mg tds"};
constexpr std::string_view finding[] = {"chest clear",
                                        "bibasal crackles, worse on the {x}",
                                        "heart sounds normal",
                                        "an ejection systolic murmur",
                                        "abdomen soft and non-tender",
                                        "mild tenderness of the {b}",
                                        "pitting oedema to the {x} knee",
                                        "no focal neurology",
                                        "GCS 1^/15",
                                        "calves soft",
                                        "reduced range of movement in the {b}",
                                        "a ^ cm wound over the {b}, clean",
                                        "JVP raised at ^ cm",
                                        "skin dry with poor turgor",
                                        "power ^/5 on the {x}"};
constexpr std::string_view side[] = {"left", "right"};
constexpr std::string_view test[] = {
    "Hb 1^# g/L",           "WCC ^.# x10^9/L",           "CRP ^# mg/L",        "sodium 13# mmol/L",
    "potassium ^.# mmol/L", "creatinine 1^# micromol/L", "eGFR ^# mL/min",     "troponin ^# ng/L",
    "HbA1c ^# mmol/mol",    "ferritin ^## micrograms/L", "lactate ^.# mmol/L", "INR ^.#",
    "TSH ^.## mU/L",        "D-dimer ^## ng/mL",         "ALT ^# U/L",         "albumin ^# g/L"};
constexpr std::string_view imaging[] = {"Chest X-ray",
                                        "CT head",
                                        "CT of the abdomen and pelvis",
                                        "Ultrasound of the {b}",
                                        "ECG",
                                        "Echocardiogram",
                                        "MRI of the {b}",
                                        "X-ray of the {b}"};
constexpr std::string_view report[] = {"no acute abnormality",
                                       "changes in keeping with {c}",
                                       "a small effusion on the {x}",
                                       "unchanged since the last study",
                                       "sinus rhythm at ^# bpm",
                                       "rate-controlled AF at 1^# bpm",
                                       "no fracture seen",
                                       "ejection fraction ^#%",
                                       "degenerative change only"};
constexpr std::string_view plan[] = {"Continue {d}",
                                     "Start {d}",
                                     "Stop {d} and recheck bloods in ^ days",
                                     "Increase to {d}",
                                     "Repeat bloods on day ^",
                                     "Refer to {w}",
                                     "Request {i}",
                                     "Discuss with {k} on the ward round",
                                     "Falls risk assessment and physiotherapy",
                                     "Fluid balance chart, aim ^## mL positive",
                                     "VTE assessment done, {d}",
                                     "Review by the {r} tomorrow",
                                     "Discharge when {g}",
                                     "Outpatient follow-up in ^ weeks",
                                     "Dietitian review, weight ^#.# kg"};
constexpr std::string_view goal[] = {"mobile with one stick",
                                     "observations stable for ^# hours",
                                     "pain controlled on oral analgesia",
                                     "oxygen weaned",
                                     "package of care restarted",
                                     "INR in range"};
constexpr std::string_view history[] = {"known {c}",
                                        "previous {c} in 201#",
                                        "lives alone in {v}",
                                        "lives with family in {v}",
                                        "ex-smoker, ^0 pack years",
                                        "never smoked",
                                        "alcohol ^# units a week",
                                        "independent at home",
                                        "carers ^ times a day",
                                        "no known relevant family history"};
constexpr std::string_view occasion[] = {"overnight",  "this morning", "since the weekend",
                                         "for ^ days", "for ^ weeks",  "after lunch",
                                         "at 0^:3#",   "at 1#:1#",     "on and off since 201#"};
constexpr std::string_view sentence[] = {
    "Presents with {s} {o}.",
    "Reports {s} and {s} {o}, denies {s}.",
    "Background: {h}; {h}; {h}.",
    "On examination {f}, {f}.",
    "Examination: {f}; {f}; {f}.",
    "Bloods (lab ref ^#B######): {t}, {t}, {t}.",
    "Bloods {o}: {t}, {t}; sample #######.",
    "{i}: {e} (accession RXQ########).",
    "{i} {o} shows {e}; compared with film ######.",
    "Impression: {c}. Coded X^##.##.",
    "Impression: {c} on a background of {c}.",
    "Plan: {p}. {p}.",
    "{p}.",
    "Medication: {d}; {d}; {d}.",
    "Seen with {k}, who agrees.",
    "BP 1^#/^#, pulse ^#, RR 1#, SpO2 9#% on air, temperature 3^.# C.",
    "NEWS2 score ^ {o}.",
    "Patient and family updated {o} by {k}; questions answered.",
    "Handed over to {w}, bleep ####.",
    "Bed ^# on {w}, hospital number H######.",
    "Slept {o}, {s} settled with {d}.",
    "Ate and drank ^## mL; urine output ^## mL over ^ hours."};
constexpr std::string_view substance[] = {
    "Penicillin", "Amoxicillin",        "Trimethoprim", "Latex",
    "Aspirin",    "Ibuprofen",          "Codeine",      "Peanuts",
    "Shellfish",  "Iodinated contrast", "Elastoplast",  "Morphine",
    "Eggs",       "Clarithromycin",     "Bee venom",    "Chlorhexidine"};
constexpr std::string_view reaction[] = {"anaphylaxis", "urticaria",   "angioedema",
                                         "wheeze",      "vomiting",    "maculopapular rash",
                                         "itch",        "hypotension", "contact dermatitis",
                                         "not recorded"};
constexpr std::string_view severity[] = {"mild", "moderate", "severe", "life-threatening"};
constexpr std::string_view status[] = {"active", "active", "active", "resolved",
                                       "entered in error"};
constexpr std::string_view title[] = {"Discharge summary", "Clinic letter",    "Referral to {w}",
                                      "Results letter",    "Procedure report", "Letter to the GP"};

}  // namespace

Words words(char name) {
    switch (name) {
        case 'F':
            return family;
        case 'G':
            return given;
        case 'S':
            return street;
        case 'v':
            return town;
        case 'w':
            return ward;
        case 'r':
            return role;
        case 'k':
            return clinician;
        case 'K':
            return kind;
        case 'c':
            return condition;
        case 'b':
            return site;
        case 's':
            return symptom;
        case 'd':
            return drug;
        case 'f':
            return finding;
        case 'x':
            return side;
        case 't':
            return test;
        case 'i':
            return imaging;
        case 'e':
            return report;
        case 'p':
            return plan;
        case 'g':
            return goal;
        case 'h':
            return history;
        case 'o':
            return occasion;
        case 'N':
            return sentence;
        case 'A':
            return substance;
        case 'R':
            return reaction;
        case 'V':
            return severity;
        case 'U':
            return status;
        case 'T':
            return title;
        default:
            return {};
    }
}

void expand(std::string_view pattern, Draw& draw, std::string& out) {
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const char c = pattern[i];
        if (c == '#') {
            out.push_back(static_cast<char>('0' + draw.below(10)));
        } else if (c == '^') {
            out.push_back(static_cast<char>('1' + draw.below(9)));
        } else if (c == '{') {
            HF_ASSERT(i + 2 < pattern.size() && pattern[i + 2] == '}');
            const Words list = words(pattern[i + 1]);
            HF_ASSERT(!list.empty());
            expand(draw.pick(list), draw, out);
            i += 2;
        } else {
            out.push_back(c);
        }
    }
}

void type_hastily(std::string_view text, Draw& draw, std::string& out) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool plain = c >= 'a' && c <= 'z';
        if (!plain || !draw.one_in(36)) {
            out.push_back(c);
        } else if (draw.one_in(3)) {
            out.append(2, c);
        } else if (draw.one_in(2)) {
            out.push_back(static_cast<char>('a' + draw.below(26)));
        }  // Else the letter is left out.
    }
}

std::string phrase(char name, Draw& draw) {
    std::string out;
    expand(draw.pick(words(name)), draw, out);
    return out;
}

}  // namespace holdfast::demo
