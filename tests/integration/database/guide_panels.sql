-- The guide's six panel queries, letter for letter (production-deployment-guide.md, Grafana Dashboard Panels).

-- Test Execution Trends (Time Series) --
SELECT
  date_trunc('hour', created_at) AS time,
  AVG(duration_ms) as avg_duration,
  MAX(duration_ms) as max_duration,
  MIN(duration_ms) as min_duration
FROM crossbridge.tests
WHERE $__timeFilter(created_at)
GROUP BY time
ORDER BY time

-- Framework Performance Comparison (Bar Chart) --
SELECT
  framework,
  AVG(duration_ms)::integer as avg_duration
FROM crossbridge.tests
WHERE $__timeFilter(created_at)
GROUP BY framework
ORDER BY avg_duration DESC

-- Test Success Rate (Gauge) --
SELECT
  ROUND(100.0 * SUM(CASE WHEN status = 'passed' THEN 1 ELSE 0 END) / COUNT(*), 2) as success_rate
FROM crossbridge.tests
WHERE $__timeFilter(created_at)

-- Flaky Tests Detection (Table) --
SELECT
  test_id,
  COUNT(*) as total_runs,
  SUM(CASE WHEN status = 'passed' THEN 1 ELSE 0 END) as passed,
  SUM(CASE WHEN status = 'failed' THEN 1 ELSE 0 END) as failed,
  ROUND(100.0 * SUM(CASE WHEN status = 'failed' THEN 1 ELSE 0 END) / COUNT(*), 2) as failure_rate
FROM crossbridge.tests
WHERE $__timeFilter(created_at)
GROUP BY test_id
HAVING SUM(CASE WHEN status = 'failed' THEN 1 ELSE 0 END) > 0
   AND SUM(CASE WHEN status = 'passed' THEN 1 ELSE 0 END) > 0
ORDER BY failure_rate DESC
LIMIT 10

-- Top 10 Slowest Tests (Table) --
SELECT
  test_id,
  framework,
  AVG(duration_ms)::integer as avg_duration,
  COUNT(*) as execution_count
FROM crossbridge.tests
WHERE $__timeFilter(created_at)
GROUP BY test_id, framework
ORDER BY avg_duration DESC
LIMIT 10

-- Step-Level Profiling (Time Series) --
SELECT
  date_trunc('minute', created_at) AS time,
  step_name,
  AVG(duration_ms) as avg_duration
FROM crossbridge.steps
WHERE $__timeFilter(created_at)
  AND test_id = '$test_id'
GROUP BY time, step_name
ORDER BY time
