it('is not to be compiled', () => {
  visit('https://shop.example/?token=s3cret') please;
});
