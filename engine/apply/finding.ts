/** A classified fact a lane or receiver came across; the runner turns it into a finding of the report. */
export interface LinkFinding {
  code: string;
  severity: 'notice' | 'warning' | 'error';
  message: string;
  evidence: Record<string, unknown>;
}
