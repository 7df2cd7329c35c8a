// SPDX-License-Identifier: Apache-2.0
// All words, in Korean and English. The Korean ones are to be reviewed by a native speaker.
const words = {
  // around the pages
  skip: ["본문으로", "Skip to content"], pages: ["메뉴", "Pages"], loading: ["불러오는 중…", "Loading …"], try_again: ["다시 시도", "Try again"],
  page_home: ["현황", "Overview"], page_check: ["확인", "Check"], page_requests: ["재검토 요청", "Requests"], page_rules: ["규칙", "Rules"],
  page_times: ["시간", "Times"], page_groups: ["그룹", "Groups"], page_lists: ["차단 목록", "Lists"], page_people: ["계정", "Accounts"],
  page_audit: ["변경 기록", "Audit log"], page_password: ["비밀번호", "Password"],
  no_web: ["대시보드 서버가 응답하지 않습니다.", "The dashboard's server does not answer."],
  no_daemon: ["DNS 필터(greengated)가 응답하지 않습니다.", "The DNS filter (greengated) does not answer."],
  no_live: ["실시간 소식이 끊겼습니다", "Live updates have stopped"], no_daemon_words: ["지금은 인터넷이 안 될 수 있습니다. 게이트웨이에서 greengate doctor 를 실행해 보십시오.", "The network may be without DNS now. Run greengate doctor on the gateway."],
  still_filters: ["이 화면이 안 되어도 DNS 필터는 따로 계속 동작합니다.", "DNS filtering goes on by itself even when this page does not work."],
  nothing: ["없음", "none"], done: ["처리했습니다.", "Done."], without_effect: ["적어 두었지만 시작할 때 바뀌는 것은 없습니다. 지금 상태를 확인하십시오.", "Noted, but it changes nothing when it begins: see what is in force."], saved: ["저장했습니다.", "Saved."], press_again: ["한 번 더 누르면 실행", "Press again to confirm"],
  as_table: ["표로 보기", "As a table"], table_below: ["같은 숫자가 아래 표에 있습니다.", "The table below has the same figures."],
  add: ["추가", "Add"], remove: ["삭제", "Remove"], save: ["저장", "Save"], search: ["찾기", "Search"], actions: ["작업", "Actions"], off: ["꺼짐", "off"], on: ["켜짐", "on"], no_category: ["분류 없음", "no category"], no_name: ["{name}: 도메인 이름이 아닙니다. www.example.com 처럼 쓰십시오.", "{name} is no domain name; write it like www.example.com"],
  minutes: ["{n}분", "{n} minutes"], hour_1: ["1시간", "1 hour"], day_1: ["하루", "1 day"], days_7: ["7일", "7 days"], days_30: ["30일", "30 days"], year_1: ["1년", "1 year"],
  for_good: ["계속", "for good"], never: ["한 번도 없음", "never"], just_now: ["방금", "just now"], how_long: ["기간", "For how long"], until: ["끝나는 때", "Until"], from: ["시작", "From"], to: ["끝", "To"],
  note: ["메모", "Note"], name: ["이름", "Name"], group: ["그룹", "Group"], groups: ["그룹별", "By group"], category: ["분류", "Category"], categories: ["분류", "Categories"],
  list: ["목록", "List"], names: ["도메인 수", "Names"], state: ["상태", "State"], time: ["시각", "Time"], hour: ["시", "Hour"], number: ["번호", "Number"], what: ["내용", "What"],
  all: ["모두", "everything"], everybody: ["모두", "everybody"], any: ["(고르지 않음)", "(not chosen)"], client: ["기기 주소", "Client address"], clients: ["기기 (한 줄에 하나: 서브넷, 주소, MAC, host:이름)", "Clients (one in a line: subnets, addresses, MACs, host:NAME)"],
  address: ["주소", "Address"], type: ["종류", "Type"], answer: ["답", "Answer"], reason: ["이유", "Reason"], good: ["정상", "good"], failures: ["실패", "Failures"], services: ["서비스", "Services"], day: ["날", "Day"],
  action: ["동작", "Action"], allow: ["허용", "allow"], block: ["차단", "block"], now: ["지금", "Now"], then: ["그다음", "Then"], made: ["만든 때", "Made"], who: ["누가", "Who"], did: ["한 일", "Did"],
  // signing in
  sign_in: ["로그인", "Sign in"], sign_out: ["로그아웃", "Sign out"], account: ["계정", "Account"], password: ["비밀번호", "Password"], new_password: ["새 비밀번호", "New password"],
  once_more: ["한 번 더", "Once more"], old_password: ["지금 비밀번호", "Old password"], change_password: ["비밀번호 바꾸기", "Change the password"],
  password_rule: ["10자 이상. 낱말 서너 개를 이은 긴 문장이 좋습니다.", "At least 10 characters; a long phrase of several words is best."],
  password_changed: ["비밀번호를 바꾸었습니다. 다른 곳의 로그인은 끊었습니다.", "The password is changed; you are signed out elsewhere."],
  not_the_same: ["두 비밀번호가 다릅니다.", "The two passwords differ."], set_up: ["처음 설정", "Set up"], set_up_do: ["관리자 계정 만들기", "Make the admin account"],
  set_up_words: ["첫 관리자 계정을 만듭니다. 이 링크는 한 번만 쓸 수 있습니다.", "This makes the first admin account. The link works once."],
  // overview
  state_protected: ["보호 중입니다", "Protected"], state_degraded: ["보호 중이지만 문제가 있습니다", "Protected, but something is wrong"], state_unprotected: ["보호되지 않습니다", "Not protected"],
  per_second: ["초당 질의", "Queries a second"], since_start: ["시작한 뒤 질의", "Queries since the start"], blocked_n: ["차단 {n}", "{n} blocked"], names_listed: ["차단 목록의 이름", "Names in lists"], cached: ["캐시", "Cached answers"],
  requests_wait: ["재검토 요청 {n}건이 기다립니다", "{n} requests wait for an answer"], pause_live: ["실시간 갱신 멈춤", "Pause live updates"], go_on_live: ["실시간 갱신 계속", "Resume live updates"],
  today_until: ["오늘 ({at}까지)", "Today (until {at})"], week_ago: ["지난주 같은 때 {n}", "{n} a week ago"], queries: ["질의", "Queries"], blocked: ["차단", "Blocked"], share_blocked: ["차단 비율", "Share blocked"], from_cache: ["캐시에서", "From the cache"], on_average: ["평균 시간", "Mean time"],
  over_time: ["질의와 차단", "Queries and blocks over time"], by_hour: ["시간대별 차단 분류", "Blocked categories by hour of the day"], span: ["기간", "Span"], last_day: ["지난 24시간", "last 24 hours"], last_week: ["지난 7일", "last 7 days"], last_month: ["지난 31일", "last 31 days"],
  nothing_blocked: ["이 기간에 차단한 것이 없습니다.", "Nothing was blocked in this time."], top_domains: ["많이 찾은 도메인", "Top domains"], domains_off: ["이름은 세지 않습니다 (stats.privacy: counters).", "Names are not counted (stats.privacy: counters)."],
  domains_rule: ["하루에 {n}대 이상의 기기가 찾은 도메인만 나옵니다.", "Only domains that at least {n} devices asked for on a day."], most_blocked: ["가장 많이 차단", "Most blocked"], most_allowed: ["가장 많이 허용", "Most allowed"], domain: ["도메인", "Domain"],
  upstreams: ["상위 DNS", "Upstreams"], works: ["동작", "works"], fails: ["실패", "fails"], and_more: ["그 밖에 {n}개", "and {n} more"], not_asked: ["아직 묻지 않음", "not asked yet"], fetched: ["받은 때", "Fetched"], no_lists: ["목록이 없습니다. 기본 목록만 씁니다.", "There are no lists: the starter list is in use."],
  radar: ["우회 시도", "Ways around the filter"], radar_words: ["시작({since})부터 그룹별로 센 것입니다. 어느 기기인지는 기록하지 않습니다.", "Counted by group since the start ({since}); no device is named."], silent: ["DNS 질의가 없는 기기", "Silent devices"], of: ["{all} 가운데 {n}", "{n} of {all}"],
  way_canary: ["브라우저 확인", "canary"], way_relay: ["릴레이", "relay"], way_doh: ["암호 DNS", "DoH"], way_vpn: ["VPN", "VPN"], way_proxy: ["프록시", "proxy"], way_tor: ["Tor", "Tor"], way_pages: ["번역·캐시", "pages"], way_address: ["주소", "address"], way_listed: ["목록", "listed"],
  shown_at: ["{at} 기준, greengate {version}", "As of {at}, greengate {version}"],
  // check
  check_title: ["이 이름은 막히나요?", "Is this name blocked?"], check_do: ["확인", "Check"], client_or: ["기기 주소 (선택)", "Client address (optional)"], at: ["언제 (비우면 지금)", "When (empty: now)"], result: ["결과", "Result"],
  is_blocked: ["{name} - 차단됩니다", "{name} is blocked"], is_open: ["{name} - 열립니다", "{name} is open"], not_admitted: ["이 기기는 이 DNS 서버를 쓸 수 없습니다 (dns.allow_clients).", "This client may not ask here (dns.allow_clients)."], is_watched: ["이 기기는 지금 관찰 중입니다.", "This client is being watched now."],
  entry: ["목록의 줄", "Entry"], rule: ["규칙", "Rule"], alias: ["다른 이름", "Alias"], answers_with: ["답하는 방법", "Answered with"], target: ["대신 답하는 이름", "Answered by"], place: ["나라·망", "Place"], changes_at: ["바뀌는 때", "Changes at"], opens_at: ["열리는 때", "Opens at"], ref: ["참조 코드", "Reference"],
  listed_by: ["이 이름이 든 목록", "Lists that name it"], covers: ["범위", "Covers"], here: ["이 그룹에서", "For this group"], exception: ["예외", "exception"], shadow: ["세기만 함", "counted only"], not_blocked: ["막지 않음", "not blocked"], allow_it: ["모두에게 허용", "Allow for everybody"], block_it: ["모두에게 차단", "Block for everybody"],
  watch_title: ["한 기기 살펴보기", "Watch one client"], watch_words: ["무엇이 안 될 때만 쓰십시오. 메모리에만 남고 저절로 끝나며, 변경 기록에 적힙니다.", "For when something does not work. It is kept in memory alone, ends by itself and stands in the audit log."], watch_do: ["시작", "Start"], watch_stop: ["중지", "Stop"], watch_runs: ["살펴보는 중…", "Watching …"], watch_over: ["끝났습니다.", "It is over."], watched: ["물어본 이름", "Asked"],
  mode_page: ["안내 페이지", "the warning page"], mode_nxdomain: ["없는 이름이라고 답함 (NXDOMAIN)", "NXDOMAIN"], mode_nodata: ["주소가 없다고 답함", "no data"], mode_zero: ["0.0.0.0", "0.0.0.0"], mode_refused: ["답하지 않겠다고 함 (REFUSED)", "REFUSED"],
  covers_name: ["이 이름만", "name"], covers_below: ["아래 이름만", "below"], "covers_name and below": ["이름과 그 아래", "name and below"], covers_address: ["주소", "address"], covers_pattern: ["정규식", "pattern"],
  reason_: ["", ""], "reason_not-listed": ["목록에도 규칙에도 없음", "in no list and no rule"], reason_list: ["차단 목록", "a list names it"], "reason_list-address": ["목록에 있는 주소로 감", "it leads to a listed address"], "reason_tcp-only": ["TCP로만", "over TCP alone"], "reason_category-not-blocked": ["이 그룹에서는 막지 않는 분류", "listed, but not a blocked category"], "reason_list-exception": ["목록의 예외", "an exception of the list"],
  "reason_block-rule": ["차단 규칙", "a block rule"], "reason_allow-rule": ["허용 규칙", "an allow rule"], reason_protected: ["보호하는 이름", "a protected name"], "reason_not-allowed": ["물을 수 없는 기기", "this client may not ask"], reason_canary: ["우회해도 되는지 묻는 이름", "a canary name"], "reason_way-around": ["우회 수단", "a way around the filter"], reason_service: ["차단한 서비스", "a service that is switched off"], reason_schedule: ["시간표", "blocked at this time"],
  "reason_not-chosen": ["지금은 정한 곳만 열림", "only chosen names are open"], reason_preferred: ["우선하는 분류", "a preferred category"], "reason_safe-search": ["안전 검색", "safe search"], "reason_no-safe-search": ["안전 검색이 없는 검색 엔진", "a search engine without a safe mode"], reason_paused: ["필터 일시 중지 중", "filtering is paused"], "reason_look-alike": ["막힌 이름과 헷갈리는 이름", "it looks like a blocked name"], reason_place: ["막은 나라나 망", "a blocked country or network"], reason_rebinding: ["내부 주소를 가리키는 답", "it leads to an inside address"],
  // requests
  no_requests: ["기다리는 요청이 없습니다.", "No request waits."], more_requests: ["더 있습니다: greengate requests --all", "There are more: greengate requests --all"], answered: ["답한 요청", "Answered"], look_at_it: ["새 창에서 열어 보기 (이 기기의 필터를 따름)", "Look at it in a new window (as filtered for this device)"],
  asked_for: ["{group} 그룹, {category}, {n}번 ({from} - {to})", "Group {group}, {category}, asked {n} times ({from} to {to})"], for_all_groups: ["모든 그룹에", "For all groups"], word_back: ["한마디", "A word back"], approve: ["허용", "Approve"], deny: ["거절", "Deny"], approved: ["허용했습니다.", "Approved."], denied: ["거절했습니다.", "Denied."],
  review_approved: ["허용", "approved"], review_denied: ["거절", "denied"], review_ended: ["끝남", "ended"],
  // rules
  rule_add: ["규칙 추가", "Add a rule"], rule_added: ["규칙을 추가했습니다. 바로 적용됩니다.", "The rule is added and acts at once."], rules_words: ["규칙은 목록보다 먼저입니다. 이름과 그 아래 모든 이름에 적용됩니다.", "Rules come before lists and cover the name and all below it."], exact: ["이 이름만", "the name alone"], pattern: ["정규식", "regular expression"], instead_of: ["대신하는 목록", "Takes back"], not_needed: ["이제 필요 없음", "not needed any more"],
  // times
  in_force: ["지금 적용되는 것", "In force"], exceptions: ["임시 예외", "For once"], kind: ["무엇을", "Kind"], kind_pause: ["필터 일시 중지", "pause filtering"], kind_block: ["차단", "block"], kind_allow: ["허용", "allow"], end_it: ["끝내기", "End it"], for_once: ["임시 예외 추가", "Something different for once"], for_once_do: ["적용", "Apply"], until_then: ["정한 때까지", "until a time"], until_missing: ["끝나는 때를 정하십시오.", "Say until when."],
  is_paused: ["일시 중지 중", "paused"], only: ["이것만 열림:", "Only these are open:"], nothing_blocked_here: ["막는 것 없음", "nothing is blocked"], no_change: ["바뀌지 않음", "no change"], clock_wrong: ["시계를 믿을 수 없습니다. 시간표의 차단이 모두 적용됩니다.", "The clock cannot be believed: all that schedules ever block is blocked."], weekly_where: ["매주 되풀이되는 시간표는 여기에 있습니다:", "What is so every week is with the"],
  // groups
  groups_words: ["위에서부터 처음 맞는 그룹이 기기의 그룹이고, 마지막 그룹은 나머지 모두입니다.", "The first group that fits is a device's; the last one catches the rest."], catches_rest: ["위의 어느 그룹에도 없는 기기는 모두 이 그룹입니다.", "Every device that no group above names."], blocked_categories: ["막는 분류", "Blocked categories"], blocked_services: ["막는 서비스", "Blocked services"], safe_search: ["안전 검색", "Safe search"], unsafe_search: ["안전 검색이 없는 검색 엔진", "Engines without a safe mode"], leave_open: ["열어 둠", "leave open"], moderate: ["중간", "moderate"], strict: ["엄격", "strict"],
  half_a_time: ["시작과 끝을 둘 다 정하거나 둘 다 비우십시오.", "Say both from and to, or neither."], allowed_then: ["이때 여는 것", "Open at this time"], week: ["주간 시간표", "The week"], week_add: ["시간 추가", "Add a time"], days: ["요일", "Days"], days_daily: ["매일", "every day"], "days_mon-fri": ["월-금", "Monday to Friday"], "days_sat,sun": ["토·일", "Saturday and Sunday"], days_mon: ["월", "Monday"], days_tue: ["화", "Tuesday"], days_wed: ["수", "Wednesday"], days_thu: ["목", "Thursday"], days_fri: ["금", "Friday"], days_sat: ["토", "Saturday"], days_sun: ["일", "Sunday"], except: ["예외", "except"], group_add: ["그룹 추가", "Add a group"], stands_in: ["적힌 곳: {file}", "Stands in {file}"],
  // lists
  update: ["갱신", "Update"], update_all: ["모두 갱신", "Update all"], update_waits: ["갱신을 기다리는 중… 오래 걸리면 greengate-update-requested.path 가 도는지 보십시오.", "Waiting to start … If it takes long, see whether greengate-update-requested.path runs."], update_done: ["끝났습니다", "done"], update_failed: ["다 되지는 않았습니다", "not all of it worked"], update_running: ["하는 중", "running"],
  what_update: ["갱신", "Update"], what_rollback: ["되돌리기", "Rollback"], what_diff: ["비교", "Comparison"], difference: ["달라지는 것", "Difference"], from_to: ["{from}번 판과 {to}번 판", "Generation {from} and {to}"], added: ["추가됨", "added"], removed: ["삭제됨", "removed"], changed: ["바뀜", "changed"], some_names: ["이름 몇 개", "Some of the names"], search_more: ["{n}개 더 있습니다. 찾기를 쓰십시오.", "{n} more: search for them."], in_use: ["쓰는 목록", "In use"], switch_off: ["끄기", "Switch off"], switch_on: ["켜기", "Switch on"], from_catalog: ["목록 모음에서 추가", "Add from the catalogue"], from_elsewhere: ["다른 곳에서 추가", "Add from elsewhere"], publisher: ["만든 곳", "Publisher"], licence: ["이용 조건", "Licence"], short_name: ["짧은 이름", "Short name"], url: ["주소(URL)", "URL"], list_added: ["추가했습니다. 갱신을 누르면 받습니다.", "Added. It is fetched by the next update."],
  generations: ["보관한 판", "Kept generations"], generations_words: ["되돌리면 다시 갱신할 때까지 그 판이 그대로 있습니다.", "After going back a generation stays until you update by force."], in_force_now: ["지금 쓰는 판", "in force"], back_to_it: ["되돌리기", "Go back to it"], compare: ["지금과 비교", "Compare with now"], no_generations: ["아직 받은 것이 없습니다.", "Nothing was fetched yet."],
  // accounts
  accounts: ["계정", "Accounts"], role: ["역할", "Role"], role_viewer: ["보기", "viewer: looks"], role_teacher: ["교사: 규칙·시간·요청", "teacher: rules, times, requests"], role_admin: ["관리자: 모두", "admin: everything"], role_metrics: ["수집기: 지표만", "collector: metrics alone"], password_of: ["비밀번호를 정한 날", "Password of"], account_add: ["계정 추가 또는 비밀번호 다시 정하기", "Add an account, or set a password anew"], account_words: ["있는 계정이면 비밀번호와 역할을 바꿉니다.", "Of an account that exists the password and role are changed."],
  tokens: ["프로그램용 토큰", "Tokens for programs"], tokens_words: ["Prometheus 같은 프로그램이 쓰는 열쇠입니다.", "Keys for programs such as Prometheus."], token_add: ["토큰 만들기", "Make a token"], what_for: ["쓰임", "What for"], made_by: ["만든 이", "Made by"], used: ["마지막으로 쓴 날", "Last used"], token_once: ["한 번만 보여 드립니다. 지금 적어 두십시오.", "It is shown this once. Keep it now."],
  // audit
  audit_words: ["바꾼 사람과 바꾼 것입니다. 몰래 고치거나 지우면 드러나게 이어져 있습니다: greengate audit verify", "Who changed what. The lines form a chain: greengate audit verify"], audit_broken: ["믿을 수 없는 줄 {n}개", "{n} lines cannot be trusted"], older: ["더 오래된 것", "Older ones"], a_signal: ["시스템", "the system"],
  in_group: ["그룹", "group"], in_for_s: ["기간", "for"], in_until: ["끝나는 때", "until"], in_from: ["시작", "from"], in_to: ["끝", "to"], in_kind: ["종류", "kind"], in_what: ["내용", "what"], in_action: ["동작", "action"], in_exact: ["이 이름만", "this name alone"],
  in_code: ["부탁 번호", "code"], in_everybody: ["모든 그룹에", "for all groups"], in_role: ["역할", "role"], in_remove: ["삭제", "removed"], in_lists: ["목록", "lists"], in_groups: ["그룹", "groups"], in_sources: ["", ""], in_password: ["비밀번호", "password"], in_to_generation: ["판", "generation"],
  in_enabled: ["상태", "state"], in_block: ["막는 분류", "blocks"], in_services: ["막는 서비스", "services"], in_allow: ["여는 것", "opens"], in_schedule: ["시간표", "times"], in_days: ["요일", "days"], in_clients: ["기기", "clients"], in_category: ["분류", "category"], in_url: ["주소", "URL"], in_safe_search: ["안전 검색", "safe search"],
  did_allow: ["허용 규칙", "allow rule"], did_block: ["차단 규칙", "block rule"], did_remove: ["규칙 삭제", "rule removed"], did_approve: ["요청 허용", "request approved"], did_deny: ["요청 거절", "request denied"],
  did_window: ["임시 예외", "exception for a time"], "did_close-window": ["임시 예외 끝냄", "exception ended"], did_reload: ["설정 다시 읽기", "configuration read again"], did_change: ["그룹·목록 변경", "groups or lists changed"], did_watch: ["기기 관찰", "client watched"],
  "did_sign-in": ["로그인", "signed in"], "did_set-up": ["첫 계정", "first account"], did_invite: ["초대 링크", "invitation made"], did_password: ["비밀번호 변경", "password changed"], "did_account-put": ["계정 변경", "account changed"], "did_account-remove": ["계정 삭제", "account removed"],
  "did_token-add": ["토큰 만듦", "token made"], "did_token-remove": ["토큰 삭제", "token removed"], "did_update-request": ["목록 갱신 요청", "update asked for"],
};

// What the programs say most often, for those who read Korean; the rest stays English and is marked so.
const sayings = {
  "the name or the password is wrong": "계정이나 비밀번호가 틀렸습니다.",
  "too many tries: wait a minute": "너무 여러 번 시도했습니다. 1분 뒤에 다시 하십시오.",
  "too many sign in at once: try again in a moment": "지금 로그인이 몰려 있습니다. 잠시 뒤에 다시 하십시오.",
  "the old password is wrong": "지금 비밀번호가 틀렸습니다.",
  "password: 10 to 200 characters, Korean ones count threefold": "비밀번호는 10자에서 200자까지입니다(한글은 한 글자를 세 자로 셉니다).",
  "your role may not do that": "이 계정으로는 할 수 없는 일입니다.",
  "not signed in, or not any more": "로그인이 끝났습니다. 다시 로그인하십시오.",
  "sign in first, or send a token": "먼저 로그인하십시오.",
  "name: a domain name is expected": "도메인 이름을 쓰십시오.",
  "name: a domain name is expected, or a pattern": "도메인 이름이나 정규식을 쓰십시오.",
  "it is over, or another has its number now": "이미 끝났거나 목록이 바뀌었습니다. 다시 보십시오.",
  "until: it is over before it begins": "끝나는 때가 시작보다 빠릅니다.",
  "what: categories or services are needed": "분류나 서비스를 하나 이상 고르십시오.",
  "there is none of this name": "그런 것이 없습니다.",
  "Couldn't resolve host name": "서버의 이름을 찾을 수 없습니다.",
  "No such file or directory": "그런 파일이 없습니다.",
  "Couldn't connect to server": "서버에 연결할 수 없습니다.",
  "too slow, or no answer within lists.timeout_s": "서버가 너무 느리거나 응답하지 않습니다.",
  "this link is not valid, or not any more: `greengate user invite` makes a new one": "쓸 수 없는 링크입니다. greengate user invite 로 새로 만드십시오.",
};
/** "2026-11-30 14:20", of server.timezone, in the reader's words. */
const here = (text) => new Intl.DateTimeFormat("ko", { dateStyle: "medium", timeStyle: "short" }).format(Date.parse(text.replace(" ", "T")));
/** What is said of something: {1} and so on are its parts, {@1} a time, {=1} something said in its turn. */
const patterns = [
  [/^(\S+) is the last admin/, "{1}: 하나뿐인 관리자입니다. 먼저 다른 관리자를 만드십시오."],
  [/^list (\S+) fails since (\S+ \S+): (.*)$/, "목록 {1}: {@2}부터 받지 못합니다: {=3}"],
  [/^list (\S+) fails: (.*)$/, "목록 {1}: 받지 못합니다: {=2}"],
  [/^list (\S+) was last updated at (\S+ \S+):/, "목록 {1}: {@2} 뒤로 갱신하지 않았습니다. greengate update 를 실행하는 타이머가 도는지 보십시오."],
  [/^list (\S+), by its signature, expired at (\S+ \S+)/, "목록 {1}: 서명의 유효 기간이 {@2}에 끝났습니다. 그래도 계속 씁니다."],
  [/^filtering is paused for group (.+); see/, "그룹 {1}: 필터를 잠시 멈추었습니다."],
  [/^only the small starter list is in force; no source/, "작은 기본 목록만 쓰고 있습니다. 아직 받은 목록이 없습니다."],
  [/^only the small starter list is in force;/, "작은 기본 목록만 쓰고 있습니다. 차단 목록을 추가하십시오."],
  [/^no blocklist database:/, "차단 목록이 없어서 아무것도 막지 않습니다. 목록을 갱신하십시오."],
  [/^no upstream answers;/, "상위 DNS가 응답하지 않습니다 (upstream.servers)."],
  [/^no sinkhole address for some clients:/, "안내 페이지의 주소를 모르는 기기가 있습니다. block.page_ipv4 와 block.page_ipv6 을 정하십시오."],
  [/^changes are not written to audit\.log: (.*)$/, "변경 기록(audit.log)을 쓰지 못합니다: {1}"],
  [/^no requests of the warning page are taken: (.*)$/, "재검토 요청을 받지 못합니다: {1}"],
  [/^the newest database is not used: (.*)$/, "새 차단 목록을 쓰지 못합니다: {1}"],
  [/^the last reload failed, the configuration before is in force: (.*)$/, "마지막으로 다시 읽은 설정에 잘못이 있어 이전 설정을 그대로 씁니다: {1}"],
  [/^local rules are not in force: (.*); mend or move it/, "직접 만든 규칙을 쓰지 못합니다. 파일을 고치거나 옮긴 뒤 다시 읽게 하십시오: {1}"],
  [/^generation (\d+) is pinned by rollback/, "차단 목록을 {1}번으로 되돌려 두었습니다. greengate update --force 를 실행하면 다시 갱신합니다."],
  [/^the disk of (\S+) is full:/, "디스크가 가득 차서 차단 목록을 갱신하지 못합니다: {1}"],
  [/^nobody can sign in to the dashboard: (.*)$/, "아무도 로그인할 수 없습니다: {1}"],
  [/^the clock /, "시계를 믿을 수 없습니다. 시간표의 차단이 모두 적용됩니다."],
  [/^the server answered (\d+)$/, "서버의 답: {1}"],
];
export function said(text) {
  if (current !== "ko" || !text) return text;
  for (const [pattern, words] of patterns) {
    const found = pattern.exec(text);
    if (found) return words.replace(/\{([@=]?)(\d)\}/g, (_, how, n) => (how === "@" ? here(found[n]) : how === "=" ? said(found[n]) : found[n]));
  }
  return sayings[text] || text;
}

let current = localStorage.getItem("language") || (navigator.language.startsWith("ko") ? "ko" : "en");

/** "ko" or "en". */
export const language = () => current;
export function chooseLanguage(id) {
  current = id;
  localStorage.setItem("language", id);
}

/** The words of an id, with {name} filled in; an unknown id stands for itself. */
export function t(id, values = {}) {
  const both = words[id];
  const text = both ? both[current === "ko" ? 0 : 1] : id;
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}
export const known = words;
