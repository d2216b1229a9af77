// Before anything is drawn, so that nothing flashes in the other colours.
{
  const theme = localStorage.getItem("wav2vec2.theme");
  if (theme === '"light"' || theme === '"dark"') document.documentElement.dataset.theme = JSON.parse(theme);
}
