"""A little warehouse of models over the examples: one of each kind of read."""

from dataplat_tests.unit.specs.folder import Config

DIM, DAY, WEEK = "dim.dim_account", "dw.dw_money_day", "ads.ads_money_week"


def add_models(config: Config) -> None:
    """Add a dimension, a daily sum and a week over it; the week reads what the others make."""
    config.add("platform.yaml", "external: [{table: legacy.rates, grain: day}]\n")
    config.write("dim/dim_account.yaml", f"table: {DIM}\nkey: [account_id]\n")
    config.write(
        "dim/dim_account.sql",
        "SELECT account_id, max(type) AS type, count(*) AS records\n"
        "FROM ods.ods_t_money_record WHERE ds = '{{ ds }}' GROUP BY account_id\n",
    )
    config.write(
        "dw/dw_money_day.yaml",
        f"table: {DAY}\nreads: {{{DIM}: latest}}\nchecks: [{{not_null: [account_id]}}]\n",
    )
    config.write(
        "dw/dw_money_day.sql",
        "SELECT m.account_id, a.type, sum(m.money * r.rate) AS money\n"
        "FROM ods.ods_t_money_record m\n"
        f"JOIN {DIM} a ON a.account_id = m.account_id\n"
        "JOIN legacy.rates r ON r.ds = m.ds\n"
        "WHERE m.ds = '{{ ds }}' AND r.ds = '{{ ds }}'\n"
        "GROUP BY m.account_id, a.type\n",
    )
    config.write("ads/ads_money_week.yaml", f"table: {WEEK}\n")
    config.write(
        "ads/ads_money_week.sql",
        "SELECT d.account_id, sum(d.money) AS money\n"
        f"FROM {DAY} d JOIN {DIM} a ON a.account_id = d.account_id AND a.ds = '{{{{ ds }}}}'\n"
        "WHERE d.ds BETWEEN '$[yyyy-MM-dd-6]' AND '{{ ds }}' GROUP BY d.account_id\n",
    )
