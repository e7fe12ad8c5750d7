"""The staged cases: true ones that are rare in a small city, and near misses of the kinds the rules must not mistake.

Belongs here: the table of scripts. Does not belong here: whom they choose (``choice``), what is then said of them
(``rewriting``), cases that happen by themselves (``need_side``, ``exit_side``). Amounts keep their distance from the
lines of the policy, since bills and wages of the same household go on by themselves.
"""

from __future__ import annotations

from simulator.planted import choice as whom
from simulator.planted import rewriting as say
from simulator.planted.stage import Script, Stage


def stage(seed: int, households: int, first_month: int, last_month: int) -> Stage:
    """The stage of one city."""
    return Stage(SCRIPTS, seed, households, first_month, last_month)


MEDICAL, REGISTER, PAID = "medical_settlement", "assistance_register", "assistance_payment"
WORK = ("social_insurance", "income_tax")
JOBLESS = ("unemployment_register", *WORK)
# Months (of twelve, January 0) in which the population register and the registers of the quarter are sent.
POPULATION, QUARTER = 0, 2
LASTS = say.LASTS + 1

# Each: what, indicator, near miss?, whom, what is said, months until it shows, feeds, quarter.
SCRIPTS: tuple[Script, ...] = (
    Script("bills_below_line", "N01", True, whom.never_helped, say.bill_of(12_000, "1"), 0, (MEDICAL,)),
    Script("dear_hospital_stay", "N02", False, whom.never_helped, say.bill_of(12_500, "3"), 0, (MEDICAL,)),
    Script("dear_outpatient", "N02", True, whom.never_helped, say.bill_of(12_400, "2"), 0, (MEDICAL,)),
    Script("bills_above_disposable", "N03", False, whom.plain, say.bill_by_disposable(1.15), 0, (MEDICAL,)),
    Script("bills_half_disposable", "N03", True, whom.plain, say.bill_by_disposable(0.7), 0, (MEDICAL,)),
    Script("dear_tuition", "N04", False, whom.pupil, say.tuition(12_800), 0, ("student_register",), QUARTER),
    Script("tuition_below_line", "N04", True, whom.pupil, say.tuition(9_600), 0, ("student_register",), QUARTER),
    Script("rigid_spending", "N05", False, whom.payers, say.bill_by_income(0.85), 0, (MEDICAL, *WORK)),
    Script("spending_of_a_third", "N05", True, whom.payers, say.bill_by_income(0.35), 0, (MEDICAL, *WORK)),
    Script("jobless_uninsured", "N06", False, whom.earner_beside_another, say.jobless(LASTS), 3, JOBLESS),
    Script("contribution_gap_of_two_months", "N06", True, whom.earner_beside_another, say.jobless(2), 3, JOBLESS),
    Script("sole_earner_jobless", "N07", False, whom.only_earner, say.jobless(LASTS), 1, JOBLESS),
    Script("jobless_beside_an_earner", "N07", True, whom.earner_beside_another, say.jobless(LASTS), 1, JOBLESS),
    Script("wage_cut_to_two_fifths", "N08", False, whom.only_earner, say.wage_times(0.4), 1, WORK),
    Script("wage_cut_by_a_third", "N08", True, whom.only_earner, say.wage_times(0.66), 1, WORK),
    Script("pension_stopped", "N09", False, whom.pensioner, say.no_pension(LASTS), 1, ("pension_payment",)),
    Script("pension_a_month_late", "N09", True, whom.pensioner, say.no_pension(1), 1, ("pension_payment",)),
    Script("only_earner_dead", "N10", False, whom.only_earner, say.death(True), 0, ("death_record", *WORK)),
    Script("certificate_grade_two", "N11", False, whom.able_adult, say.certificate("2"), 0, ("disability_register",)),
    Script("certificate_grade_four", "N11", True, whom.able_adult, say.certificate("4"), 0, ("disability_register",)),
    Script("father_dead_mother_in_prison", "N12", False, whom.child_of_two, say.father_dead_mother_held("1"), 1,
           ("death_record", "custody_record", "population_register", "child_register")),
    Script("father_dead_mother_corrected", "N12", True, whom.child_of_two, say.father_dead_mother_held("3"), 1,
           ("death_record", "custody_record", "population_register", "child_register")),
    Script("only_earner_in_prison", "N13", False, whom.only_earner, say.custody("1", True), 0,
           ("custody_record", *WORK)),
    Script("earner_corrected_at_home", "N13", True, whom.only_earner, say.custody("3", False), 1, ("custody_record",)),
    Script("divorce_on_register", "N14", False, whom.listed_couple, say.divorce, 0, ("marriage_register", REGISTER)),
    Script("divorce_elsewhere", "N14", True, whom.unassisted_couple, say.divorce, 0, ("marriage_register",)),
    Script("house_burnt", "N15", False, whom.plain, say.disaster("3", 60_000.0), 0, ("disaster_event",)),
    Script("loss_below_line", "N15", True, whom.plain, say.disaster("1", 15_000.0), 0, ("disaster_event",)),
    Script("report_without_answer", "N16", False, whom.never_helped, say.report(False), 1,
           ("community_report", "visit_outcome")),
    Script("report_visited", "N16", True, whom.never_helped, say.report(True), 1,
           ("community_report", "visit_outcome")),
    Script("relapse_risk_unassisted", "N17", False, whom.plain, say.monitored(False), 0,
           ("rural_monitoring", REGISTER)),
    Script("relapse_risk_cleared", "N17", True, whom.plain, say.monitored(True), 0, ("rural_monitoring", REGISTER)),
    Script("shock_after_leaving", "N18", False, whom.left_lately, say.bill_of(16_500, "3"), 0, (REGISTER, MEDICAL)),
    Script("shock_never_on_register", "N18", True, whom.never_helped, say.bill_of(16_500, "3"), 0, (MEDICAL,)),
    Script("care_allowance_dropped", "N19", False, whom.long_cared_for, say.benefit_dropped("CH"), 1,
           ("disability_register", PAID)),
    Script("old_age_allowance_dropped", "N20", False, whom.old_with_allowance, say.benefit_dropped("GL"), 1,
           ("population_register", PAID)),
    Script("home_without_light", "N21", False, whom.lone_elder, say.dark, 0, ("utility_usage",)),
    Script("pupil_left_school", "N22", False, whom.young_pupil, say.school_status("3"), 0,
           ("student_register",), QUARTER),
    Script("pupil_rests", "N22", True, whom.young_pupil, say.school_status("2"), 0, ("student_register",), QUARTER),
    Script("edge_new_grade_one", "N23", False, whom.marginal_adult, say.certificate("1"), 0,
           ("disability_register", REGISTER)),
    Script("edge_new_grade_three", "N23", True, whom.marginal_adult, say.certificate("3"), 0,
           ("disability_register", REGISTER)),
    Script("dead_still_listed", "X01", False, whom.listed_adult, say.death(False), 1, ("death_record", REGISTER)),
    Script("prisoner_still_listed", "X02", False, whom.listed_adult, say.custody("1", False), 1,
           ("custody_record", REGISTER)),
    Script("corrected_and_listed", "X02", True, whom.listed_adult, say.custody("3", False), 1,
           ("custody_record", REGISTER)),
    Script("gone_still_listed", "X03", False, whom.listed_adult, say.moved_out, 1,
           ("population_register", REGISTER), POPULATION),
    Script("moved_inside_the_city", "X03", True, whom.listed_adult, say.moved_inside, 1,
           ("population_register", REGISTER), POPULATION),
    Script("car_of_listed_family", "X04", False, whom.listed_adult, say.car("K", 9.8), 0,
           ("vehicle_register", REGISTER), QUARTER),
    Script("adapted_car", "X04", True, whom.listed_without_property, say.car("D", 9.8), 0,
           ("vehicle_register", REGISTER), QUARTER),
    Script("wage_of_four_months", "X05", False, whom.listed_without_income, say.brief_wage(4), 2,
           ("income_tax", REGISTER)),
    Script("wage_of_two_months", "X05", True, whom.listed_without_income, say.brief_wage(2), 1,
           ("income_tax", REGISTER)),
    Script("destitute_support_beside_dibao", "X06", False, whom.long_listed_applicant,
           say.second_benefit("TK", 1_200.0), 0, (PAID,)),
    Script("price_subsidy_beside_dibao", "X06", True, whom.long_listed_applicant,
           say.second_benefit("WJ", 40.0), 0, (PAID,)),
    Script("certificate_cancelled", "X07", False, whom.cared_for, say.cancelled, 1, ("disability_register", PAID)),
    Script("certificate_renewed_in_time", "X07", True, whom.cared_for, say.ends_this_month, 1,
           ("disability_register", PAID)),
    Script("review_two_months_late", "X08", False, whom.listed_adult, say.overdue(2), 0, (REGISTER,)),
    Script("review_due_now", "X08", True, whom.listed_adult, say.overdue(0), 0, (REGISTER,)),
    Script("pension_of_a_tenth", "X09", True, whom.old_without_income, say.small_pension, 1,
           ("pension_payment", REGISTER)),
    Script("wage_of_one_month", "X09", True, whom.listed_without_income, say.brief_wage(1), 0,
           ("income_tax", REGISTER)),
    Script("listed_not_paid", "X10", False, whom.long_listed_applicant, say.benefit_dropped("DB"), 1, (REGISTER, PAID)),
    Script("paid_not_listed", "X10", False, whom.never_helped, say.paid_unlisted, 1, (REGISTER, PAID)),
)  # fmt: skip
