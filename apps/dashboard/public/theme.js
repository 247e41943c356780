// Runs before the first paint, so that a stored choice of colours does not flash. A file of its own because the page's
// content security policy allows no inline script.
try {
  const theme = localStorage.getItem('headframe.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage is forbidden here: the system's choice stands.
}
